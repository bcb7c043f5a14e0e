"""The forms of a report: console, JSON, JUnit, Markdown, HTML. Imports `pairs` and the rooms below it."""
