//! Git LFS pointers: small texts that stand for a content which lies elsewhere (B8).

/// The most bytes of a pointer.
pub const LONGEST: usize = 1024;

/// Whether the bytes are a Git LFS pointer, the stand-in for a content that lies elsewhere (B8).
pub fn is_pointer(bytes: &[u8]) -> bool {
    const FIRST: [&[u8]; 2] = [
        b"version https://git-lfs.github.com/spec/v1\n",
        b"version https://hawser.github.com/spec/v1\n",
    ];
    bytes.len() <= LONGEST
        && FIRST.iter().any(|line| bytes.starts_with(line))
        && bytes
            .split(|b| *b == b'\n')
            .any(|line| line.starts_with(b"oid sha256:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_texts_of_the_right_form_are_lfs_pointers() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        assert!(is_pointer(pointer));
        assert!(!is_pointer(b"version https://git-lfs.github.com/spec/v1\n"));
        assert!(!is_pointer(
            b"about: version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n"
        ));
        let mut long = pointer.to_vec();
        long.resize(2000, b'x');
        assert!(!is_pointer(&long));
    }
}
