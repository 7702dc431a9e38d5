//! How lines end in a container file.

use crate::cases;
use crate::project::{joined, project};
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn carriage_returns_outside_of_heredocs_move_no_revision(project in project()) {
        let before = project.revisions();
        let loaded = project.loaded();
        let mut changed = project.clone();
        let mut free = Vec::new();
        for (name, (path, lines)) in project.images().into_iter().zip(&project.container_files) {
            let image = loaded.image(&name).unwrap();
            let reads = loaded.reads(&name, &image).unwrap();
            changed.put(path, joined(lines, "\r\n"));
            // Who copies the container file copies its bytes (rule 50).
            if !reads.iter().any(|(read, ..)| read == path) {
                free.push(name);
            }
        }
        let after = changed.revisions();
        for name in free {
            prop_assert_eq!(before[&name], after[&name], "{}", name);
        }
    }

    #[test]
    fn a_carriage_return_in_a_heredoc_is_content(project in project()) {
        let before = project.revisions();
        for (name, (path, lines)) in project.images().into_iter().zip(&project.container_files) {
            let Some(body) = lines.iter().position(|(line, body)| *body && line != "E") else { continue };
            let mut lines = lines.clone();
            lines[body].0.push('\r');
            let mut changed = project.clone();
            changed.put(path, joined(&lines, "\n"));
            prop_assert_ne!(before[&name], changed.revisions()[&name]);
        }
    }
}
