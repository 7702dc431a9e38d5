//! `completions`.

use crate::args::Cli;
use crate::ui::Ui;
use clap::CommandFactory;
use ringshift::engine::Failure;

/// Prints the script of a shell.
pub fn run(ui: &Ui, shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ringshift", &mut script);
    ui.print_raw(&script);
    Ok(0)
}
