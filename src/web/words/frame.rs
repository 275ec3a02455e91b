//! Words around every page: the ways through it, and how the gateway is, in a line.

use super::{Words, words};

/// What a gateway's pages are called.
pub const MENSHEN: Words = words("门神", "Menshen fever screening");

/// The guard's screen.
pub const GUARD: Words = words("门岗", "Guard");

/// No picture comes.
pub const NO_PICTURE: Words = words("没有新画面，停止判断", "No new picture: nobody is judged");

/// The settings.
pub const SETTINGS: Words = words("设置", "Settings");

/// What the guard's page says aloud when an alert has come: no temperature, for visitors hear it, too.
pub const SPOKEN_ALERT: Words = words(
    "有新的警报，请看屏幕。",
    "New alert. Please look at the screen.",
);

/// What it says when the sound is tried out.
pub const SPOKEN_TEST: Words = words("声音测试，听得见吗？", "Sound test. Can you hear it?");

/// The browser makes no sound before somebody has touched the page.
pub const SILENT: Words = words(
    "声音是关的：请点一下页面任意处",
    "Sound is off until you touch the page or press a key",
);
