//! A project and a ring world in memory: git is real, images and journal are pretended.

pub mod git;
pub mod world;
