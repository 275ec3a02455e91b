//! Words of the page of figures.

use super::{Words, words};

/// The page.
pub const TODAY: Words = words("今日概况", "Today");

/// What a column of a chart is.
pub const HOUR: Words = words("时", "Hour");
/// A day.
pub const DAY: Words = words("日期", "Day");
/// A week, by its Monday.
pub const WEEK: Words = words("周（自星期一）", "Week from Monday");
/// A step of the estimate.
pub const ESTIMATE: Words = words("体温估计（°C）", "Body estimate (°C)");

/// What a value of a chart is.
pub const PEOPLE: Words = words("人次", "people");
/// A share.
pub const PERCENT: Words = words("占当天人次的百分比", "% of the day's people");
/// A time.
pub const MINUTES: Words = words("分钟", "minutes");

/// Titles of charts.
pub const BY_HOUR: Words = words("每小时人次", "People by hour");
/// Title.
pub const BY_DAY: Words = words("每天人次", "People by day");
/// Title.
pub const BY_WEEK: Words = words("每周人次", "People by week");
/// Title.
pub const RATES: Words = words("没有结论的比例", "Share without an answer");
/// Title.
pub const WAITS: Words = words("警报等了多久才有人处理", "How long alerts waited");
/// Title.
pub const READINGS: Words = words("读数与阈值", "Readings and thresholds");

/// Half of the alerts waited no longer.
pub const MEDIAN: Words = words("中位数", "median");
/// The longest wait.
pub const WORST: Words = words("最长", "longest");

/// Readings below both thresholds.
pub const BELOW: Words = words("低于复测阈值", "below both thresholds");
/// Readings between both.
pub const BETWEEN: Words = words("达到复测阈值", "at the retest threshold or above");
/// Readings at the upper one or above.
pub const ABOVE: Words = words("达到发热阈值", "at the fever threshold or above");
