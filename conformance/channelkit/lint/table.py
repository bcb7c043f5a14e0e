"""Every rule of the spec: how a recording shows that it is broken, or why no recording does."""

from channelkit.resources import rules

SEEN = {
    "BOO-002": "the mode is absent and the child writes frames that are no lines",
    "BOO-005": "the child writes on a channel of an unknown mode",
    "BOO-007": "the header has the text of the variable",
    "BOO-008": "the tap finds the child's end among the descriptors of the parent",
    "BOO-011": "the header has family and type of the socket",
    "BOO-012": "the header has no socket",
    "BOO-013": "the header has every entry of both variables",
    "BOO-014": "the header has the mode",
    "BOO-015": "the header has the mode of the descriptor",
    "BOO-017": "the first bytes of a way are no message",
    "BOO-019": "the header has the number",
    "FRM-001": "bytes of a line are no UTF-8",
    "FRM-002": "several lines are one JSON text together",
    "FRM-003": "two JSON texts stand in a line, or the last bytes have no end",
    "FRM-004": "a line has no token",
    "FRM-005": "a line holds the byte",
    "FRM-006": "a line begins with it",
    "FRM-007": "white space stands outside of strings",
    "FRM-008": "a line that is no JSON ends with a whole message",
    "JSN-001": "a line is no JSON",
    "JSN-002": "a line that is no JSON holds such a token",
    "JSN-003": "a line holds the word `undefined`",
    "JSN-006": "a line holds the bytes of half a pair",
    "JSN-007": "the digits of an integer are those of no double",
    "ADV-001": "a frame does not begin with 0xff, or bytes at the end are no whole frame",
    "ADV-002": "a frame has no value",
    "ADV-003": "the length says so",
    "ADV-004": "a write ends within the length or behind it",
    "ADV-010": "the header of a frame has another version",
    "ADV-020": "a value has a tag of no value",
    "ADV-022": "two-byte characters stand at an odd position",
    "ADV-026": "the length of a string says so",
    "ADV-027": "the length of a BigInt says so",
    "ADV-028": "values are nested deeper",
    "ADV-034": "an object has a name twice",
    "ADV-042": "a view has the tag of V8's own",
    "ADV-047": "the parts of an Error come in another order",
    "ADV-048": "a frame has a reference behind an Error",
    "CLS-005": "an internal message is one that no chapter knows",
    "CLS-007": "an internal message is one that no chapter knows",
    "ERR-002": "such a message comes after a violation of the other side",
    "FLO-005": "several frames are one JSON text together",
    "HND-001": "an envelope has no `msg` or no `type`",
    "HND-002": "the type is unknown, or the descriptor is of another kind",
    "HND-003": "the tap finds what a descriptor is",
    "HND-004": "an envelope comes with no descriptor or with several",
    "HND-005": "the descriptor comes on another byte",
    "HND-006": "a descriptor comes with another message",
    "HND-007": "`dgramType` is missing or contradicts the family of the socket",
    "HND-010": "a message passes before the answer to an envelope has passed",
    "HND-012": "an envelope without a descriptor gets another answer or none",
    "HND-013": "a second answer to such an envelope passes",
    "HND-015": "another frame follows a refusal",
    "HND-016": "the same envelope passes a fifth time",
    "HND-017": "an envelope passes before the answer to the last one has passed",
    "HND-018": "the tap finds the mode of the socket",
    "HND-019": "two envelopes wait for each other for a second and more",
    "HND-024": "a refused envelope comes again without its descriptor",
    "HND-028": "the same socket comes again within the envelope",
    "HND-034": "an envelope gets a second answer, or none in a second and more",
    "HND-042": "an envelope of an unknown type is refused, or gets no answer",
    "HND-046": "an envelope whose descriptor passed is refused; a full table of descriptors looks the same",
    "HND-050": "an answer passes while no envelope waits",
    "SLS-001": "a question is about a key with which no connection passed",
    "SLS-002": "the key of a question is no text",
    "SLS-006": "the key of an envelope is empty",
    "SLS-007": "the key of an envelope is such a name",
    "SLS-010": "a question gets no answer in a second and more",
    "SLS-011": "the count is no number, or larger than the number of connections that passed",
    "SLS-012": "an answer has another key than the question",
    "SLS-013": "an answer is about a key with which no connection passed",
    "SLS-014": "an announcement gets no answer in a second and more after a count of 0",
    "SLS-016": "a count is not 0 after all were called closed",
    "SLS-018": "a question without a key gets an answer",
    "SLS-019": "an answer passes behind an envelope that waits",
    "SLS-020": "a second answer to an announcement passes",
    "LIF-002": "an end stays open for a second and more after the other side half-closed",
    "LIF-013": "one direction ends alone",
    "CLU-001": "the header has the number",
    "CLU-003": "a number is missing or comes again",
    "CLU-004": "an answer names the number of no message",
    "CLU-006": "the first message of a worker is another one",
    "CLU-007": "a member of a question is missing, or a server listens without a question",
    "CLU-008": "a question comes again while its place is open",
    "CLU-009": "a member of an answer is missing, or there is none in a second and more",
    "CLU-010": "`errno` is neither negative nor 0 nor null",
    "CLU-011": "an answer about TCP has no `sockname` and no socket, or another address than the question",
    "CLU-012": "the tap finds that a shared socket is not bound",
    "CLU-015": "a port or family that does not exist gets no error",
    "CLU-016": "a server listens on another port than it asked for",
    "CLU-018": "a connection passes before the answer to the last one of the key",
    "CLU-019": "an answer has no boolean `accepted`, or there is none in a second and more",
    "CLU-020": "a connection under a key of no open server is accepted",
    "CLU-025": "a `close` has the key of no open server",
    "CLU-029": "the channel is closed before the answer has passed",
    "CLU-030": "there is no answer in a second and more",
    "CLU-032": "a question passes after the goodbye",
    "CLU-033": "such a question is answered by a socket",
    "CLU-035": "a server listens after an answer with an error",
    "CLU-038": "a connection comes under a key that no answer gave, or a listening socket comes in its place",
    "CLU-040": "a server listens on a shared socket of another port",
}
"""Rules that a recording can show to be broken, and the observation that shows it."""

_REASONS = {
    "it happens inside of a process": """
        BOO-001 BOO-003 BOO-004 BOO-006 BOO-009 BOO-010 BOO-016 HND-033 LIF-006 SEC-005 SEC-007 SEC-008 CLU-002 HND-053
    """,
    "it is about processes or sockets beside the channel": """
        BOO-018 HND-009 HND-025 HND-052 HND-055 HND-056 HND-058 HND-060 SEC-003 SEC-006 LIF-020 LIF-021 LIF-022 LIF-023 CLU-013
        CLU-014 CLU-021 CLU-022 CLU-023 CLU-024 CLU-026 CLU-027 CLU-028 CLU-031 CLU-034 CLU-036 CLU-037 CLU-039 CLU-041
        SLS-003
    """,
    "the user's side of a message does not pass the channel": """
        FRM-009 FRM-021 FRM-027 FRM-029 JSN-004 JSN-005 JSN-008 ADV-024 ADV-049 CLS-003 ERR-001 ERR-004 FLO-002 FLO-003
        FLO-004 HND-011 HND-014 HND-020 HND-023 HND-026 HND-037 HND-038 HND-048 HND-051 HND-054 HND-057 HND-059 LIF-001
        LIF-003 LIF-004 LIF-007 LIF-009 LIF-010 LIF-011 LIF-012 LIF-014 LIF-015 LIF-017 SEC-002 SEC-004 SLS-004 SLS-005
        SLS-015 SLS-021 CLU-017
    """,
    "it is about a receiver, and a recording has only the sent bytes": """
        FRM-020 FRM-022 FRM-023 FRM-024 FRM-025 FRM-026 FRM-028 FRM-030 JSN-020 JSN-021 JSN-022 JSN-023 JSN-024 JSN-025
        JSN-026 JSN-027 JSN-028 JSN-029 JSN-030 ADV-011 ADV-012 ADV-021 ADV-023 ADV-025 ADV-031 ADV-032 ADV-033 ADV-035 ADV-036
        ADV-043 ADV-044 ADV-045 ADV-046 ADV-050 ADV-051 ADV-060 ADV-061 ADV-062 ADV-063 ADV-065 ADV-070 ADV-071 ADV-080
        CLS-001 CLS-002 CLS-004 CLS-006 ERR-003 FLO-001 HND-008 HND-030 HND-031 HND-039 HND-040 HND-041 HND-043 HND-044
        HND-047 LIF-005 SEC-001 SLS-017 CLU-005
    """,
    "a recording does not name the profile that a child claims": """
        PRO-001 PRO-002 PRO-003
    """,
    "a permission, which cannot be broken": """
        ADV-030 HND-045 LIF-016
    """,
    "whether a pattern can be compiled is for the receiver to say": """
        ADV-029
    """,
    "a recording does not show the knowledge of the far side": """
        HND-027
    """,
}

_ELSEWHERE = {
    "STD": "it is about messages over standard streams, which the tap leaves alone",
    "NIP": "it is about sockets of node-ipc, which the tap leaves alone",
    "RDS": "it is about messages in Redis, which the tap leaves alone",
    "RSM": "it is about queues in Redis, which the tap leaves alone",
    "WIN": "it is about named pipes of Windows, where there is no tap",
}
"""Chapters about other streams."""

UNSEEN = {rule: reason for reason, names in _REASONS.items() for rule in names.split()} | {
    rule: _ELSEWHERE[rule[:3]] for rule in rules() if rule[:3] in _ELSEWHERE
}
"""Rules that no recording can show to be broken, and why."""
