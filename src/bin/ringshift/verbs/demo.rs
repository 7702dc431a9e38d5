//! x
use crate::{settings::Settings, ui::Ui};
pub fn run(_: &Settings, _: &Ui, _: &std::path::Path) -> Result<u8, ringshift::engine::Failure> {
    Ok(0)
}
