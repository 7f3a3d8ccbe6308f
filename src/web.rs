//! The walls around the rooms: what every page and every file is served with. Knows nothing of any one feature.

pub mod assets;
pub mod pages;
