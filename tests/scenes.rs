//! Scenes drawn at random: the same from the same seed, as varied as their page says, and with a
//! truth that can be.

use menshen::camera::simulator::scenes::{SCENE_SIZE, Scene, scene};
use menshen::camera::simulator::{Facing, PersonTruth};

fn scenes(count: u64) -> Vec<Scene> {
    (0..count).map(|number| scene(7, number)).collect()
}

#[test]
fn the_same_seed_and_number_give_the_same_scene() {
    let later: Vec<Scene> = (3..6).map(|number| scene(1, number)).collect();
    for (number, once) in (3..6).zip(&later) {
        assert_eq!(*once, scene(1, number));
        assert_eq!(once.truth.sequence, number);
        assert_ne!(once.counts, scene(2, number).counts);
    }
    assert_ne!(later[0].counts, later[1].counts);
}

/// Whether a share lies within four standard deviations of a binomial's around what is wanted.
fn about(found: usize, of: usize, wanted: f64) -> bool {
    let of = of as f64;
    let sd = (wanted * (1.0 - wanted) / of).sqrt();
    (found as f64 / of - wanted).abs() < 4.0 * sd
}

#[test]
fn the_shares_are_those_of_the_page() {
    let scenes = scenes(800);
    let with = |people: usize| {
        let these = scenes.iter().filter(|s| s.truth.people.len() == people);
        these.count()
    };
    for (people, share) in [(0, 0.15), (1, 0.55), (2, 0.18), (3, 0.08), (4, 0.04)] {
        let found = with(people);
        assert!(about(found, 800, share), "{found} scenes with {people}");
    }
    let references = scenes.iter().filter(|s| s.truth.blackbody.is_some());
    assert!(about(references.count(), 800, 0.6));

    let people: Vec<&PersonTruth> = scenes.iter().flat_map(|s| &s.truth.people).collect();
    let share = |name: &str, wanted: f64, is: &dyn Fn(&PersonTruth) -> bool| {
        let found = people.iter().filter(|p| is(p)).count();
        let all = people.len();
        assert!(about(found, all, wanted), "{name}: {found} of {all}");
    };
    share("glasses", 0.30, &|p| p.glasses);
    share("mask", 0.25, &|p| p.mask);
    share("hat", 0.12, &|p| p.hat);
    share("within 25 degrees", 0.5, &|p| p.yaw_deg.abs() < 25.0);
    share("beyond 60 degrees", 0.25, &|p| p.yaw_deg.abs() > 60.0);
    share("to the left", 0.5, &|p| p.yaw_deg < 0.0);
    // Hats, most hoods, some headscarves and fringes cover the forehead.
    let covered = people.iter().filter(|p| p.brow).count() as f64 / people.len() as f64;
    assert!((0.18..0.36).contains(&covered), "{covered}");
}

#[test]
fn every_truth_can_be() {
    let (width, height) = (SCENE_SIZE.0 as f32, SCENE_SIZE.1 as f32);
    let (mut small, mut large, mut cut) = (0, 0, 0);
    for scene in scenes(400) {
        assert_eq!(scene.counts.dim(), (SCENE_SIZE.1, SCENE_SIZE.0));
        let truth = &scene.truth;
        assert!((14.0..=32.0).contains(&truth.ambient_c));
        assert!((-5.0..=3.0).contains(&truth.offset_k));
        for person in &truth.people {
            let (area, head) = (person.area, person.head);
            assert!(area.width() > 1.0 && area.height() > 4.0, "{person:?}");
            assert!(head.width() < 130.0 && head.height() < 170.0, "{person:?}");
            // A head may lean out of the picture, by less than its own size.
            let (wide, high) = (head.width(), head.height());
            assert!(head.left < width + wide && head.right > -wide, "{person:?}");
            assert!(
                head.top < height + high && head.bottom > -high,
                "{person:?}"
            );
            let outside = area.clipped(SCENE_SIZE.0, SCENE_SIZE.1).area() == 0.0;
            assert!(!outside || person.visible == 0.0, "{person:?}");
            assert!((0.0..=1.0).contains(&person.visible), "{person:?}");
            assert!((0.0..=1.0).contains(&person.forehead), "{person:?}");
            assert!((32.0..=40.0).contains(&person.face_c), "{person:?}");
            assert!(person.yaw_deg.abs() <= 180.0 && person.pitch_deg.abs() <= 25.01);
            assert!(person.roll_deg.abs() <= 18.01);
            assert_eq!(person.landmarks.is_some(), person.yaw_deg.abs() <= 75.0);
            assert!(!person.glasses || person.canthi == [None, None]);
            if person.facing == Facing::Away {
                assert_eq!((person.visible, person.area), (0.0, person.head));
            }
            if let Some(points) = person.landmarks {
                // The box is of the upright face: leaning, its points may leave it by a little.
                let slack = 0.12 * head.width();
                for point in points.points() {
                    assert!(point.x > area.left - slack && point.x < area.right + slack);
                    assert!(point.y > area.top - slack && point.y < area.bottom + slack);
                }
            }
            small += usize::from(head.width() < 20.0);
            large += usize::from(head.width() > 50.0);
            cut += usize::from(area.left < 0.0 || area.right > width);
        }
    }
    assert!(
        small > 40 && large > 40 && cut > 20,
        "{small} {large} {cut}"
    );
}
