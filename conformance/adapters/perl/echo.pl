#!/usr/bin/env perl
# Rung 0: answers {"echo": m} to each message m. Internal messages have a `cmd` that starts with NODE_ and more.
use strict;
use warnings;
use JSON::PP;
open(my $channel, '+<&=', $ENV{NODE_CHANNEL_FD}) or die "no channel: $!";
while (defined(my $line = readline $channel)) {
    last unless chomp $line;    # half a line at the end is no message
    my $message = $line =~ /cmd|\\u/ ? eval { JSON::PP->new->utf8->allow_nonref->decode($line) } : undef;
    my $cmd = ref $message eq 'HASH' ? $message->{cmd} : undef;
    next if defined $cmd && !ref $cmd && $cmd =~ /^NODE_./s;
    syswrite $channel, "{\"echo\":$line}\n" if $line =~ /\S/;
}
