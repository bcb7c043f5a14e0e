// Rung 0 in Rust, with nothing but the standard library: answers {"echo": m} to each message m.
//
//   rustc -O echo.rs
use std::{env, fs::File, io::{BufRead, BufReader, Write}, os::fd::FromRawFd};

/// The text of the string at a quote, escapes undone as far as the names of the channel need it, and where it ends.
fn text(line: &[u8], start: usize) -> (Vec<u8>, usize) {
    let (mut out, mut at) = (Vec::new(), start + 1);
    while at < line.len() && line[at] != b'"' {
        if line[at] == b'\\' && line.get(at + 1) == Some(&b'u') {
            let digits = line.get(at + 2..at + 6).and_then(|hex| std::str::from_utf8(hex).ok());
            out.push(digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(b'?'));
            at += 6;
        } else {
            at += usize::from(line[at] == b'\\');
            out.extend(line.get(at));
            at += 1;
        }
    }
    (out, at)
}

/// Whether the last member `cmd` of the object itself, wherever it stands, is a text that begins with NODE_ and goes on.
fn is_internal(line: &[u8]) -> bool {
    let (mut depth, mut name, mut value, mut found, mut at) = (0, false, false, false, 0);
    while at < line.len() {
        match line[at] {
            b' ' | b'\t' | b'\r' | b':' => {}
            byte if depth == 0 && byte != b'{' => return false,
            b'"' => {
                let (word, end) = text(line, at);
                if depth == 1 && value { found = word.starts_with(b"NODE_") && word.len() > 5; }
                (value, name, at) = (depth == 1 && name && word == b"cmd", false, end);
            }
            byte => {
                if depth == 1 && value && byte != b',' && byte != b'}' { found = false; }
                depth += i32::from(matches!(byte, b'{' | b'[')) - i32::from(matches!(byte, b'}' | b']'));
                (value, name) = (false, depth == 1 && matches!(byte, b'{' | b','));
            }
        }
        at += 1;
    }
    found
}

fn main() -> std::io::Result<()> {
    let number = env::var("NODE_CHANNEL_FD").ok().and_then(|text| text.parse().ok()).expect("start me with a channel");
    // The channel is ours from here on: nobody else in this process knows the number.
    let channel = unsafe { File::from_raw_fd(number) };
    let (mut reader, mut writer, mut line) = (BufReader::new(&channel), &channel, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.pop() == Some(b'\n') {
        if !is_internal(&line) && line.iter().any(|byte| !byte.is_ascii_whitespace()) {
            writer.write_all(&[b"{\"echo\":", &line[..], b"}\n"].concat())?;
        }
        line.clear();
    }
    Ok(())
}
