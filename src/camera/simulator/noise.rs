//! Smooth randomness for surfaces: the unevenness of skin, the folds of cloth, the strands of hair.
//!
//! Value noise on a grid: a hash gives each corner a number, and a smooth step joins them. It
//! needs no table and no state, so the same place of the same person looks the same in every
//! frame.

/// Spreads the bits of a number (the finaliser of SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One seed out of two.
pub(super) fn seed_of(seed: u64, part: u64) -> u64 {
    mix(seed ^ mix(part))
}

fn corner(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / 8_388_608.0 - 1.0
}

/// −1…1, smooth, with about one hill for each unit of `x` and of `y`.
pub(super) fn value_noise(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (tx, ty) = (ease(x - ix as f32), ease(y - iy as f32));
    let (x1, y1) = (ix.wrapping_add(1), iy.wrapping_add(1));
    let top = lerp(corner(ix, iy, seed), corner(x1, iy, seed), tx);
    let bottom = lerp(corner(ix, y1, seed), corner(x1, y1, seed), tx);
    lerp(top, bottom, ty)
}

/// `f32::floor` is a call into the C library on plain x86-64; this is asked for at every point.
fn floor(x: f32) -> i32 {
    let towards_zero = x as i32;
    towards_zero.saturating_sub(i32::from(x < towards_zero as f32))
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// From `a` at 0 to `b` at 1.
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 below `from`, 1 above `to`, smooth between; `from` may be the larger one.
pub(super) fn smooth_step(from: f32, to: f32, x: f32) -> f32 {
    ease(((x - from) / (to - from)).clamp(0.0, 1.0))
}

/// 1 at the middle, 0 at the ellipse with half axes `rx`, `ry` and beyond, smooth between.
pub(super) fn bump(dx: f32, dy: f32, rx: f32, ry: f32) -> f32 {
    let (u, v) = (dx / rx, dy / ry);
    let left = 1.0 - u * u - v * v;
    if left > 0.0 { left * left } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_smooth_bounded_and_its_own_for_each_seed() {
        let mut different = 0;
        for n in 0..2000 {
            let (x, y) = (n as f32 * 0.137 - 90.0, n as f32 * 0.071 - 40.0);
            let here = value_noise(x, y, 7);
            assert!((-1.0..=1.0).contains(&here));
            assert!((value_noise(x + 0.01, y, 7) - here).abs() < 0.05);
            different += usize::from((value_noise(x, y, 8) - here).abs() > 0.05);
        }
        assert!(different > 1500);
    }

    #[test]
    fn a_bump_ends_where_it_should() {
        assert_eq!(bump(0.0, 0.0, 2.0, 1.0), 1.0);
        assert_eq!(bump(2.0, 0.0, 2.0, 1.0), 0.0);
        assert!(bump(1.0, 0.0, 2.0, 1.0) > 0.5);
    }
}
