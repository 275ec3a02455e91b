//! Solids in three dimensions, seen from afar: how a head that is turned and nods lies in the view.
//!
//! The head's own axes: x to the right of the picture for a head that looks at the camera, y
//! downwards, z towards the camera; the origin lies in the middle of the head at the height of the
//! eyes. A nod turns about the head's x axis, a turn about the neck, in this order. Perspective
//! within one head is left out, in the picture and in its truth alike.

/// A head as it is held at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Sine and cosine of the turn; positive to the right of the picture.
    pub(super) sin: f32,
    pub(super) cos: f32,
    /// Sine and cosine of the nod; positive looks down.
    pub(super) nod: (f32, f32),
    /// −1 in … 1 out.
    pub(super) breath: f32,
}

impl Held {
    /// A point of the head as the camera sees it: to the right, downwards, towards the camera.
    pub(super) fn view(&self, [x, y, z]: [f32; 3]) -> [f32; 3] {
        let (sin, cos) = self.nod;
        let (v, ahead) = (y * cos + z * sin, z * cos - y * sin);
        [
            x * self.cos + ahead * self.sin,
            v,
            ahead * self.cos - x * self.sin,
        ]
    }

    /// The line of sight through (u, v), in the head's axes.
    pub(super) fn ray(&self, u: f32, v: f32) -> Ray {
        let (sin, cos) = self.nod;
        let ahead = u * self.sin;
        Ray {
            from: [u * self.cos, v * cos - ahead * sin, v * sin + ahead * cos],
            along: [-self.sin, -self.cos * sin, self.cos * cos],
        }
    }
}

/// A line of sight; it grows towards the camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ray {
    pub(super) from: [f32; 3],
    /// Of length 1.
    pub(super) along: [f32; 3],
}

impl Ray {
    pub(super) fn at(&self, t: f32) -> [f32; 3] {
        [0, 1, 2].map(|n| self.from[n] + t * self.along[n])
    }

    /// How squarely a surface with this outward normal is seen: 1 from straight ahead, 0 from the
    /// side, negative from behind.
    pub(super) fn square(&self, normal: [f32; 3]) -> f32 {
        let [x, y, z] = normal;
        let length = (x * x + y * y + z * z).sqrt().max(1e-6);
        (x * self.along[0] + y * self.along[1] + z * self.along[2]) / length
    }
}

/// An ellipsoid along the head's axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ellipsoid {
    pub(super) middle: [f32; 3],
    pub(super) half: [f32; 3],
}

impl Ellipsoid {
    /// Where a line of sight leaves it towards the camera, and where it enters it behind.
    pub(super) fn hit(&self, ray: &Ray) -> Option<(f32, f32)> {
        let (mut a, mut b, mut c) = (0.0, 0.0, -1.0);
        for n in 0..3 {
            let part = 1.0 / self.half[n];
            let (from, along) = ((ray.from[n] - self.middle[n]) * part, ray.along[n] * part);
            a += along * along;
            b += from * along;
            c += from * from;
        }
        let root = b * b - a * c;
        (root >= 0.0).then(|| {
            let root = root.sqrt();
            ((root - b) / a, (-root - b) / a)
        })
    }

    /// The outward normal at a point of its surface.
    pub(super) fn normal(&self, point: [f32; 3]) -> [f32; 3] {
        [0, 1, 2].map(|n| (point[n] - self.middle[n]) / (self.half[n] * self.half[n]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_sight_through_a_point_meets_it() {
        for (turn, nod) in [(0.0_f32, 0.0_f32), (0.7, 0.4), (-1.2, -0.3), (2.8, 0.2)] {
            let held = Held {
                sin: turn.sin(),
                cos: turn.cos(),
                nod: nod.sin_cos(),
                breath: 0.0,
            };
            let point = [0.2, -0.3, 0.5];
            let [u, v, t] = held.view(point);
            for (found, wanted) in held.ray(u, v).at(t).into_iter().zip(point) {
                assert!((found - wanted).abs() < 1e-5, "{found} {wanted}");
            }
        }
    }
}
