//! Whole projects built by the program with the builders of this machine: what is made, what is kept when an image
//! fails or a run is stopped or killed, and that no secret is told.
//!
//! `tests/lab/lab.sh install && tests/lab/lab.sh start` brings the builders. Where one is missing, its tests say
//! `SKIPPED` and pass; with `CI=true` they fail.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod agent;
mod failing;
mod killed;
mod layers;
mod machine;
mod platforms;
mod processes;
mod project;
#[path = "../bad/sandbox.rs"]
#[expect(dead_code, reason = "made for several test programs; each uses a part")]
mod sandbox;
mod secret;
#[path = "../registry/server.rs"]
#[expect(dead_code, reason = "made for several test programs; each uses a part")]
mod server;
mod stopped;
mod store;
mod whole;

use machine::Machine;

/// The claims that hold for each builder.
macro_rules! hold {
    ($($module:ident: $name:literal;)*) => {$(
        mod $module {
            use super::{Machine, failing, secret, stopped, whole};

            hold!(@ $name,
                whole::a_project_is_built_and_then_only_what_changed,
                failing::one_failure_stops_its_dependants_and_the_rest_is_adopted,
                failing::a_failed_check_names_the_command_and_the_image_is_built_again,
                secret::a_secret_is_told_nowhere,
                stopped::ctrl_c_ends_what_was_started,
                stopped::a_killed_run_takes_its_builders_with_it);
        }
    )*};
    (@ $name:literal, $($place:ident::$claim:ident),*) => {$(
        #[test]
        fn $claim() {
            if let Some(machine) = Machine::find($name) {
                $place::$claim(&machine);
            }
        }
    )*};
}

hold! {
    by_buildctl: "buildctl";
    by_buildx: "buildx";
    by_docker: "docker";
    by_classic_docker: "docker-classic";
    by_buildah: "buildah";
    by_podman: "podman";
}

/// The claims that hold for those that take an agent.
#[test]
fn a_run_finds_the_agent() {
    for name in ["buildctl", "buildx", "buildah"] {
        if let Some(machine) = Machine::find(name) {
            agent::a_run_finds_the_agent(&machine);
        }
    }
}

#[test]
fn images_of_several_platforms_are_an_index() {
    for name in ["buildctl", "buildx"] {
        if let Some(machine) = Machine::find(name) {
            platforms::an_index_is_built(&machine);
        }
    }
}
