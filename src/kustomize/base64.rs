//! Base64 as Secrets and binary data have it.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// After so many letters upstream breaks the line.
const LINE: usize = 70;

/// The bytes in base64; what is longer than one line of 70 letters is broken, with a line end
/// after every line.
pub fn encode_lines(bytes: &[u8]) -> String {
    let flat = encode(bytes);
    if flat.len() < LINE {
        return flat;
    }
    let mut out = String::with_capacity(flat.len() + flat.len() / LINE + 1);
    let mut rest = flat.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_u32, |word, (at, byte)| {
            word | (u32::from(*byte) << (16 - 8 * at))
        });
        for at in 0..4 {
            if at > chunk.len() {
                out.push('=');
            } else {
                let index = (word >> (18 - 6 * at)) & 63;
                out.push(char::from(LETTERS[index as usize]));
            }
        }
    }
    out
}

/// The bytes of a base64 text, line ends ignored.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    if !letters.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(letters.len() / 4 * 3);
    for (number, chunk) in letters.chunks(4).enumerate() {
        let pad = chunk.iter().rev().take_while(|byte| **byte == b'=').count();
        if pad > 2 || (pad > 0 && (number + 1) * 4 != letters.len()) {
            return None;
        }
        let mut word = 0_u32;
        for byte in &chunk[..4 - pad] {
            let index = LETTERS.iter().position(|letter| letter == byte)?;
            word = (word << 6) | u32::try_from(index).ok()?;
        }
        word <<= 6 * pad;
        out.extend_from_slice(&word.to_be_bytes()[1..4 - pad]);
    }
    Some(out)
}
