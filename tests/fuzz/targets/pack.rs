//! Environment packs: what was read is written as it was read.

use ringshift::pack::Pack;

pub fn run(data: &[u8]) {
    match Pack::read(data) {
        Ok(pack) => assert_eq!(Pack::read(&pack.write()), Ok(pack)),
        Err(error) => super::told(&error.to_string()),
    }
}
