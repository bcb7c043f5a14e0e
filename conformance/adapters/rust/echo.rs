// Rung 0 in Rust, with the standard library alone: answers {"echo": m} to each message m.
//
//   rustc -O echo.rs
use std::{env, fs::File, io::{BufRead, BufReader, Write}, os::fd::FromRawFd};

/// The text of the string whose quote was read, escapes undone as far as the names of the channel need it.
fn text(rest: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(byte) = rest.next().filter(|&byte| byte != b'"') {
        let escaped = if byte == b'\\' { rest.next().unwrap_or(byte) } else { byte };
        let code: Vec<u8> = rest.take(if byte == b'\\' && escaped == b'u' { 4 } else { 0 }).collect();
        let digits = std::str::from_utf8(&code).ok().filter(|digits| !digits.is_empty());
        out.push(digits.map_or(escaped, |digits| u8::from_str_radix(digits, 16).unwrap_or(b'?')));
    }
    out
}

/// Whether the last member `cmd` of the object itself, wherever it stands, is a text that begins with NODE_ and goes on.
fn is_internal(line: &[u8]) -> bool {
    let (mut depth, mut is_name, mut is_cmd, mut found) = (0, false, false, false);
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        if b" \t\r:".contains(&byte) { continue; }
        if depth == 0 && byte != b'{' { return false; }
        let word = if byte == b'"' { text(&mut rest) } else { Vec::new() };
        if is_cmd && byte != b',' && byte != b'}' { found = word.starts_with(b"NODE_") && word.len() > 5; }
        is_cmd = is_name && word == b"cmd";
        depth += i32::from(b"{[".contains(&byte)) - i32::from(b"}]".contains(&byte));
        is_name = depth == 1 && b"{,".contains(&byte);
    }
    found
}

fn main() {
    let number = env::var("NODE_CHANNEL_FD").ok().and_then(|text| text.parse().ok()).expect("start me with a channel");
    // From here on this function owns the channel: no further code of this process knows the number.
    let channel = unsafe { File::from_raw_fd(number) };
    let (mut reader, mut writer, mut line) = (BufReader::new(&channel), &channel, Vec::new());
    // A reset is an end, too.
    while reader.read_until(b'\n', &mut line).unwrap_or(0) > 0 && line.pop() == Some(b'\n') {
        if !is_internal(&line) && line.iter().any(|byte| !byte.is_ascii_whitespace()) {
            if writer.write_all(&[b"{\"echo\":", &line[..], b"}\n"].concat()).is_err() { break; }
        }
        line.clear();
    }
}
