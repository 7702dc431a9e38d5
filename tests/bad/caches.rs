//! Caches hold nothing that matters: gone, cut, turned over, the results are the same.

use crate::sandbox::World;

fn results(world: &World) -> Vec<String> {
    [
        &["plan"][..],
        &["plan", "--worktree", "--json"],
        &["graph"],
        &["explain", "api", "--json"],
        &["check"],
    ]
    .iter()
    .map(|args| world.run(args).shown())
    .collect()
}

fn world() -> World {
    let world = World::built();
    world.write("images/api/app", "changed");
    world.commit("Change");
    world.write("images/base/motd", "dirty");
    world
}

#[test]
fn a_cache_that_is_gone_or_cannot_be_made_changes_nothing() {
    let world = world();
    let want = results(&world);
    assert_eq!(results(&world), want);
    std::fs::remove_dir_all(world.cache()).unwrap();
    assert_eq!(results(&world), want);
    std::fs::remove_dir_all(world.cache()).unwrap();
    std::fs::write(world.cache(), "a file").unwrap();
    assert_eq!(results(&world), want);
}

#[test]
fn a_cache_that_is_damaged_anywhere_changes_nothing() {
    let world = world();
    let want = results(&world);
    let files = World::files(&world.cache());
    assert!(!files.is_empty(), "there is a cache");
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        let size = whole.len();
        let mut damaged: Vec<Vec<u8>> = vec![
            Vec::new(),
            whole[..size / 2].to_vec(),
            vec![0xff; size],
            [&whole[..], b"more"].concat(),
        ];
        for region in 0..8 {
            let mut bytes = whole.clone();
            let (from, to) = (size * region / 8, size * (region + 1) / 8);
            bytes[from..to].iter_mut().for_each(|byte| *byte ^= 0x55);
            damaged.push(bytes);
            let mut one = whole.clone();
            if let Some(byte) = one.get_mut((from + to) / 2) {
                *byte ^= 1;
            }
            damaged.push(one);
        }
        for bytes in damaged {
            std::fs::write(&file, &bytes).unwrap();
            assert_eq!(results(&world), want, "{}", file.display());
        }
        std::fs::write(&file, whole).unwrap();
    }
}
