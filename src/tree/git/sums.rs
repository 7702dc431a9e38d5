//! Git's id and the SHA-256 of the same bytes, taken block by block in turn: the two do not wait for one
//! another, and a processor with instructions for both has them for little more than the price of one.

use crate::model::Digest;

const BLOCK: usize = 64;

/// Room for `blob <size>\0` with any size.
pub(super) const HEADER: usize = 32;

/// Git's id of a blob with these bytes, and their SHA-256. `buffer` holds [`HEADER`] bytes for its own use, then
/// the content.
pub(super) fn sums(buffer: &mut [u8]) -> ([u8; 20], Digest) {
    let size = buffer.len() - HEADER;
    let header = format!("blob {size}\0");
    let from = HEADER - header.len();
    buffer[from..HEADER].copy_from_slice(header.as_bytes());
    let (object, content) = (&buffer[from..], &buffer[HEADER..]);
    let mut sha1 = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut sha256 = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let (objects, object_rest) = object.as_chunks::<BLOCK>();
    let (contents, content_rest) = content.as_chunks::<BLOCK>();
    // The header makes the first as long as the second, or a block longer.
    for (one, two) in objects.iter().zip(contents) {
        sha1::block_api::compress(&mut sha1, std::slice::from_ref(one));
        sha2::block_api::compress256(&mut sha256, std::slice::from_ref(two));
    }
    sha1::block_api::compress(&mut sha1, &objects[contents.len()..]);
    let (end, blocks) = padded(object_rest, object.len());
    sha1::block_api::compress(&mut sha1, &end[..blocks]);
    let (end, blocks) = padded(content_rest, content.len());
    sha2::block_api::compress256(&mut sha256, &end[..blocks]);
    let (mut id, mut digest) = ([0; 20], [0; 32]);
    write(&sha1, &mut id);
    write(&sha256, &mut digest);
    (id, Digest::from_bytes(digest))
}

/// The last blocks of a message of `length` bytes that ends with `rest`, and how many they are (FIPS 180-4, 5.1.1).
fn padded(rest: &[u8], length: usize) -> ([[u8; BLOCK]; 2], usize) {
    let mut end = [[0; BLOCK]; 2];
    end.as_flattened_mut()[..rest.len()].copy_from_slice(rest);
    end.as_flattened_mut()[rest.len()] = 0x80;
    let blocks = if rest.len() + 9 <= BLOCK { 1 } else { 2 };
    let bits = (length as u64) * 8;
    end[blocks - 1][BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    (end, blocks)
}

fn write(state: &[u32], out: &mut [u8]) {
    for (word, bytes) in state.iter().zip(out.chunks_exact_mut(4)) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn both_sums_are_those_of_git_and_of_sha256_whatever_the_length() {
        let bytes: Vec<u8> = (0..70_000_u32).map(|i| (i * 7 + i / 251) as u8).collect();
        let lengths = (0..300).chain([999, 1_000, 1_001, 65_535, 65_536, 70_000]);
        for length in lengths {
            let content = &bytes[..length];
            let mut buffer = vec![0xff; HEADER];
            buffer.extend_from_slice(content);
            let (id, digest) = sums(&mut buffer);
            let git = git2::Oid::hash_object(git2::ObjectType::Blob, content).unwrap();
            assert_eq!(
                (&id[..], digest),
                (git.as_bytes(), Digest::of(content)),
                "{length}"
            );
        }
    }
}
