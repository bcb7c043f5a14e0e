// Rung 0 in Rust, with nothing but the standard library: answers {"echo": m} to each message m.
//
//   rustc -O echo.rs
use std::{env, fs::File, io::{BufRead, BufReader, Write}, os::fd::FromRawFd};

/// Whether the object begins with a member `cmd` whose text begins with NODE_ and goes on.
fn is_internal(line: &[u8]) -> bool {
    let mut rest = line;
    for token in [&b"{"[..], b"\"cmd\"", b":", b"\"NODE_"] {
        match rest.trim_ascii_start().strip_prefix(token) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.first() != Some(&b'"')
}

fn main() -> std::io::Result<()> {
    let number = env::var("NODE_CHANNEL_FD").ok().and_then(|text| text.parse().ok()).expect("start me with a channel");
    // The channel is ours from here on: nobody else in this process knows the number.
    let channel = unsafe { File::from_raw_fd(number) };
    let (mut reader, mut writer, mut line) = (BufReader::new(&channel), &channel, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.pop() == Some(b'\n') {
        if !is_internal(&line) {
            writer.write_all(&[b"{\"echo\":", &line[..], b"}\n"].concat())?;
        }
        line.clear();
    }
    Ok(())
}
