//! rings.yaml.

use super::world::sources;
use ringshift::config;
use ringshift::model::{Problem, RepoPath};

pub fn run(data: &[u8]) {
    let file = RepoPath::clean("deploy/rings.yaml");
    let read = || config::read(data, &file);
    match read() {
        Err(problems) => {
            assert_eq!(
                Some(problems.clone()),
                read().err(),
                "reading twice gives the same"
            );
            assert!(!problems.as_slice().is_empty());
            problems.as_slice().iter().for_each(stands_in);
        }
        Ok((project, notes)) => {
            let again = read()
                .ok()
                .map(|(project, notes)| format!("{project:?} {notes:?}"));
            assert_eq!(
                again,
                Some(format!("{project:?} {notes:?}")),
                "reading twice gives the same"
            );
            notes.iter().for_each(stands_in);
            assert!(project.images.contains_key(&project.root) && !project.rings.is_empty());
            assert_eq!(project.order.len(), project.images.len());
            for name in project.images.keys() {
                let own = project.own(&format!("{}/{name}:1.0", project.name));
                assert_eq!(
                    own.map(|own| own.image).as_ref(),
                    Some(name),
                    "an image is known by its path"
                );
            }
            let tree = sources().file("deploy/rings.yaml", data);
            for problem in config::check(&project, &tree).unwrap_or_default() {
                super::printable(&problem.render());
            }
        }
    }
}

fn stands_in(problem: &Problem) {
    assert!(problem.place.line >= 1 && problem.place.column >= 1, "{problem}");
    super::printable(&problem.render());
}
