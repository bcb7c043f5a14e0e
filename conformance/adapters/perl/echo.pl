#!/usr/bin/env perl
# Rung 0: answers {"echo": m} to each message m. Internal messages have a `cmd` that starts with NODE_ and more.
use strict;
use warnings;
open(my $channel, '+<&=', $ENV{NODE_CHANNEL_FD}) or die "no channel: $!";
while (defined(my $line = readline $channel)) {
    last unless chomp $line;    # half a line at the end is no message
    next if $line =~ /^\s*\{\s*"cmd"\s*:\s*"NODE_[^"]/;
    syswrite $channel, "{\"echo\":$line}\n";
}
