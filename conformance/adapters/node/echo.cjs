'use strict';
// Rung 0: answers {"echo": m} to each message m. Node ignores internal messages and ends with the channel by itself.
process.on('message', function (message) { process.send({ echo: message }); });
