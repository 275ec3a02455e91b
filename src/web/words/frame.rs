//! Words around every page: the ways through it, and how the gateway is, in a line.

use super::{Words, words};

/// The guard's screen.
pub const GUARD: Words = words("门岗", "Guard");

/// No picture comes.
pub const NO_PICTURE: Words = words("没有新画面，停止判断", "No new picture: nobody is judged");

/// The settings.
pub const SETTINGS: Words = words("设置", "Settings");
