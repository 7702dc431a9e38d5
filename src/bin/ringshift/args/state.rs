//! The verbs below `state`.

use super::Change;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum StateVerb {
    /// The last entry of the journal, whole
    Show {
        /// Another entry, by its number
        #[arg(value_name = "SEQ")]
        seq: Option<u64>,
    },
    /// Read everything the journal names and compare it with its digests
    Verify,
    /// Write the ring tags that are not what the journal says; remove old claims and votes from a registry
    Repair,
    /// Copy images, journal and ring tags to another place; given again, it goes on
    #[command(after_help = "Examples:
  ringshift state copy oci:.git/ringshift registry.example.com
  ringshift state copy registry.example.com oci:/srv/backup")]
    Copy {
        /// A registry, or a folder as oci:PATH
        #[arg(value_name = "FROM")]
        from: String,
        /// A registry, or a folder as oci:PATH
        #[arg(value_name = "TO")]
        to: String,
    },
    /// Make a new journal from ring tags and labels, where the old one is lost
    Rebuild {
        #[command(flatten)]
        change: Change,
    },
}
