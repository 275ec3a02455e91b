//! Looks come to the same reading in any order, follow the skin as it is, and few of them rule the rest.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

/// A look at a face that is everywhere of this apparent temperature.
fn plain(celsius: f32) -> Look {
    Look {
        seen: celsius,
        whole: celsius,
        canthi: Some(celsius),
        forehead: Some(celsius),
        face_px: 30.0,
        offset: TemperatureDelta::literal(1.5),
        ambient: AmbientTemperature(Celsius::literal(23.0)),
        u_ambient: StandardUncertainty::literal(2.0),
        path: Path::default(),
        worth: 20.0,
    }
}

fn looks(values: &[f32]) -> Looks {
    let mut looks = Looks::default();
    for (n, celsius) in values.iter().enumerate() {
        looks.add(Look {
            worth: 20.0 + n as f32 * 0.01,
            ..plain(*celsius)
        });
    }
    looks
}

fn reading(values: &[f32]) -> Reading {
    looks(values)
        .reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.058))
        .unwrap()
}

#[test]
fn the_estimate_is_linear_from_33_to_41_degrees() {
    // The protocol of Healy et al. 2021: steps of 0.25 °C, no plateau, constant slope.
    let steps: Vec<f64> = (0..=32).map(|n| 33.0 + 0.25 * f64::from(n)).collect();
    let shown: Vec<f64> = steps
        .iter()
        .map(|t| reading(&[*t as f32; 3]).estimate.value.degrees())
        .collect();
    for pair in shown.windows(2) {
        let slope = (pair[1] - pair[0]) / 0.25;
        // (1 + k) / ε, with the slight curvature of Planck's law.
        assert!((slope - 1.08 / 0.98).abs() < 0.012, "{slope}");
    }
}

#[test]
fn one_wild_look_changes_nothing_much() {
    let calm = reading(&[36.0, 36.01, 35.99, 36.0, 36.0]);
    let wild = reading(&[36.0, 36.01, 35.99, 36.0, 45.0]);
    assert!((wild.face.degrees() - calm.face.degrees()).abs() < 0.02);
    assert_eq!(wild.looks, 5);
}

#[test]
fn looks_that_disagree_widen_the_uncertainty() {
    let calm = reading(&[36.0; 5]);
    let torn = reading(&[35.0, 35.5, 36.0, 36.5, 37.0]);
    assert!(torn.u() > calm.u());
    // The median of five: their deviation (1.4826 · 0.5 K) by √5.
    assert!((torn.budget.part(Part::Looks) - 0.7413 / 5.0_f64.sqrt()).abs() < 1e-6);
    assert_eq!(calm.budget.part(Part::Looks), 0.0);
    // 0.058, 0.03, 0.087, 0.07, 0.05, 0.03 and 0.03: root of the sum of squares.
    assert!((0.14..0.155).contains(&calm.u().kelvin()), "{:?}", calm.u());
    assert!(calm.estimate.u.kelvin() > 0.335);
}

#[test]
fn no_look_is_no_reading_and_many_looks_stay_few() {
    assert!(
        looks(&[])
            .reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.1))
            .is_none()
    );
    assert_eq!(looks(&[36.0; 500]).count(), 60);
}

#[test]
fn parts_are_read_like_the_whole_and_only_where_most_looks_show_them() {
    let among = |all: usize, shown: usize| {
        let mut looks = Looks::default();
        for n in 0..all {
            looks.add(Look {
                canthi: (n < shown).then_some(35.4),
                forehead: Some(34.8),
                ..plain(35.5)
            });
        }
        looks
            .reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.1))
            .unwrap()
    };
    let of = |shown| among(5, shown);
    // Half of them are not most of them.
    assert_eq!(among(4, 2).canthi, None);
    let reading = of(3);
    let [canthi, forehead] = [reading.canthi, reading.forehead].map(|it| it.unwrap().degrees());
    // All of it skin of emissivity 0.98 in the same room: 0.1 K apparent is 0.102 K of skin.
    assert!((reading.face.degrees() - canthi - 0.102).abs() < 0.002);
    assert!((reading.face.degrees() - forehead - 0.714).abs() < 0.005);
    assert_eq!(of(2).canthi, None);
    assert_eq!(of(2).forehead, reading.forehead);
}

#[test]
fn the_chain_adds_up_to_what_the_skin_is_computed_from() {
    let mut looks = Looks::default();
    for (seen, whole) in [(35.5, 35.6), (35.45, 35.62), (35.52, 35.58)] {
        looks.add(Look {
            seen,
            whole,
            ..plain(35.0)
        });
    }
    let reading = looks
        .reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.1))
        .unwrap();
    let chain = reading.chain;
    assert!((chain.apparent.degrees() - 34.0).abs() < 1e-5);
    assert!((chain.size_of_source.kelvin() - 0.1).abs() < 1e-5);
    let whole = chain.apparent + chain.offset + chain.size_of_source;
    let skin = Path::default().skin(whole, chain.ambient, 30.0).unwrap();
    assert!((skin.0 - reading.face.0).kelvin().abs() < 1e-9);
    // Half of the correction, and 0.03 K at 30 pixels.
    let part = reading.budget.part(Part::SizeOfSource);
    assert!((part - 0.05_f64.hypot(0.03)).abs() < 1e-5, "{part}");
    // k of the 2 K that the room is unsure by.
    assert!((reading.budget.part(Part::Ambient) - 0.16).abs() < 1e-12);
}

/// Looks of any worth, with values that scatter as wildly as they like.
fn any_looks() -> impl Strategy<Value = Vec<Look>> {
    let look = (20.0_f32..45.0, -0.2_f32..0.4, 18.0_f32..24.0, any::<bool>());
    let look = look.prop_map(|(celsius, given, worth, bare)| Look {
        seen: celsius,
        whole: celsius + given,
        canthi: bare.then_some(celsius - 0.1),
        // Ties are what order could matter for.
        worth: worth.round(),
        ..plain(celsius - 0.5)
    });
    proptest::collection::vec(look, 1..90)
}

fn read(looks: impl IntoIterator<Item = Look>) -> Option<Reading> {
    let mut kept = Looks::default();
    looks.into_iter().for_each(|look| kept.add(look));
    kept.reading(&Transfer::UPPER_FACE, StandardUncertainty::literal(0.1))
}

proptest! {
    #[test]
    fn the_order_of_looks_does_not_matter(
        (looks, shuffled) in any_looks()
            .prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
    ) {
        prop_assert_eq!(read(looks), read(shuffled));
    }

    #[test]
    fn what_is_warmer_everywhere_reads_warmer_everywhere(
        looks in any_looks(),
        kelvin in -3.0_f32..3.0,
    ) {
        let warmer = looks.iter().map(|look| Look {
            seen: look.seen + kelvin,
            whole: look.whole + kelvin,
            canthi: look.canthi.map(|it| it + kelvin),
            forehead: look.forehead.map(|it| it + kelvin),
            ambient: AmbientTemperature(
                look.ambient.0 + TemperatureDelta::literal(f64::from(kelvin)),
            ),
            ..*look
        });
        let (before, after) = (read(looks.clone()).unwrap(), read(warmer).unwrap());
        let moved = |from: Celsius, to: Celsius| (to - from).kelvin() - f64::from(kelvin);
        let forehead = |it: &Reading| it.forehead.unwrap().0;
        // Planck's law is not quite straight: half a percent for skin far colder than any.
        prop_assert!(moved(before.face.0, after.face.0).abs() < 0.01);
        prop_assert!(moved(forehead(&before), forehead(&after)).abs() < 0.01);
        prop_assert!(moved(before.estimate.value, after.estimate.value).abs() < 0.01);
        prop_assert_eq!(before.canthi.is_some(), after.canthi.is_some());
        prop_assert!((before.spread.kelvin() - after.spread.kelvin()).abs() < 1e-4);
        prop_assert!((before.u().kelvin() - after.u().kelvin()).abs() < 1e-3);
    }

    #[test]
    fn a_few_wild_looks_do_not_matter(wild in proptest::collection::vec(20.0_f32..45.0, 0..5)) {
        let calm = (0..10).map(|n| plain(35.5 + 0.01 * n as f32));
        let reading = read(calm.chain(wild.into_iter().map(plain))).unwrap();
        let calm = read((0..10).map(|n| plain(35.5 + 0.01 * n as f32))).unwrap();
        prop_assert!((reading.face.0 - calm.face.0).kelvin().abs() < 0.06);
    }
}
