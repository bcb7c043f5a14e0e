// The least that a child can do: one message.
'use strict';

process.send('ready');
