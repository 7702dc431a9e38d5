//! Base64 as Secrets and binary data have it.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// After so many letters upstream breaks the line.
const LINE: usize = 70;

/// As Go reads it: what is left over in the last letter does not matter.
const AS_GO: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The bytes in base64; what is longer than one line of 70 letters is broken, with a line end
/// after every line.
pub fn encode_lines(bytes: &[u8]) -> String {
    let flat = STANDARD.encode(bytes);
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

/// The bytes of a base64 text, line ends ignored.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    AS_GO.decode(letters).ok()
}
