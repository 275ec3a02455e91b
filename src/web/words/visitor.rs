//! Words of the visitor screen. What is read from afar has at most seven Han characters in a line
//! (`assets/visitor.css`); what stands beside others has four.

use super::{InWords, Words, words};
use crate::screening::Obstacle;
use crate::web::visitor::{Cue, Why};

/// The way to the screen.
pub const VISITOR: Words = words("访客屏", "Visitor screen");

/// Nobody is there.
pub const REST: Words = words("请走到镜头前", "Please step up to the camera");

/// What to do there.
pub const HOW: Words = words(
    "摘下眼镜和帽子，站定看镜头一秒钟",
    "Glasses and hat off, stand still and look here for a second",
);

/// Nobody is judged yet, in relative mode.
pub const LEARNING: Words = words(
    "设备正在学习，请由工作人员测温",
    "Still learning: staff take your temperature",
);

/// Nothing may be measured at this moment.
pub const WAIT: Words = words("请稍等", "One moment, please");

/// Why that is.
pub const ADJUSTS: Words = words("相机正在校正", "The camera adjusts itself");

/// Nobody is judged.
pub const OUT: Words = words("暂停使用", "Out of service");

/// What to do then.
pub const BY_STAFF: Words = words("请由工作人员测温", "Staff take your temperature");

/// More people than places.
pub const ONE_AT_A_TIME: Words = words("请一个一个来", "One at a time, please");

/// What one person is told, standing alone.
#[must_use]
pub const fn told(cue: Cue) -> Words {
    match cue {
        Cue::Closer => words("请走近一点", "Come closer"),
        Cue::Middle => words("请站到中间", "Stand in the middle"),
        Cue::Look => words("请看镜头", "Look here"),
        Cue::Glasses => words("请摘下眼镜", "Take off your glasses"),
        Cue::Hold(..) => words("请站定别动", "Hold still"),
        Cue::Wait => WAIT,
        Cue::Clear => words("未见发热", "No fever seen"),
        Cue::Staff => words("请找工作人员", "Please go to staff"),
        Cue::Indoors => words("请先等十分钟", "Please wait ten minutes"),
        Cue::Cannot(_) => words("这里测不了", "Cannot measure here"),
    }
}

/// The same beside others.
#[must_use]
pub const fn briefly(cue: Cue) -> Words {
    match cue {
        Cue::Closer => words("走近一点", "closer"),
        Cue::Middle => words("站到中间", "middle"),
        Cue::Look => words("看着镜头", "look here"),
        Cue::Glasses => words("摘下眼镜", "glasses off"),
        Cue::Hold(..) => words("站定别动", "hold still"),
        Cue::Wait => words("稍等", "wait"),
        Cue::Clear => words("未见发热", "no fever"),
        Cue::Staff => words("人工复测", "go to staff"),
        Cue::Indoors => words("等十分钟", "wait 10 min"),
        Cue::Cannot(_) => words("无法测量", "no result"),
    }
}

/// Why, or what next.
#[must_use]
pub fn more(cue: Cue) -> Option<Words> {
    match cue {
        Cue::Closer => Some(words("半米到一米", "half a metre to one")),
        Cue::Glasses => Some(words("镜片挡住体温", "Glass hides the warmth")),
        Cue::Clear => Some(words("谢谢配合", "Thank you")),
        Cue::Staff => Some(words("需要再测一次", "You will be measured again")),
        Cue::Indoors => Some(words(
            "刚从冷处进来，请在室内等候后再测",
            "Just in from the cold: wait indoors, then come again",
        )),
        Cue::Wait => Some(ADJUSTS),
        Cue::Cannot(why) => Some(cannot(why)),
        Cue::Middle | Cue::Look | Cue::Hold(..) => None,
    }
}

/// Why somebody cannot be measured, and what next.
const fn cannot(why: Obstacle) -> Words {
    match why {
        Obstacle::TooCold => words(
            "面部太凉或被遮挡，请找工作人员",
            "Face too cold or covered: please go to staff",
        ),
        Obstacle::TooHot => words(
            "温度高得不像人脸，请找工作人员",
            "Too hot for a face: please go to staff",
        ),
        Obstacle::RoomOutOfRange => words(
            "室温超出范围，请找工作人员",
            "The room is too warm or too cold: please go to staff",
        ),
        Obstacle::LearningPopulation => words(
            "设备还在学习，请找工作人员",
            "The device is still learning: please go to staff",
        ),
        Obstacle::CalibrationExpired => words(
            "设备校准已过期，请找工作人员",
            "The calibration has expired: please go to staff",
        ),
        Obstacle::TooFewLooks
        | Obstacle::TooFar
        | Obstacle::Cut
        | Obstacle::Turned
        | Obstacle::Glasses
        | Obstacle::ReferenceLost
        | Obstacle::Settling => words(
            "没有看清，请找工作人员",
            "Not seen well: please go to staff",
        ),
    }
}

/// Why nobody is judged.
#[must_use]
pub fn why(it: Why) -> Words {
    match it {
        Why::NoPicture => super::frame::NO_PICTURE,
        Why::Fault(fault) => fault.words(),
    }
}

/// The connection to the gateway is lost.
pub const LOST: Words = words("与设备断开，正在重新连接", "Connection lost, trying again");

/// It is there again.
pub const BACK: Words = words("已重新连接", "Connected again");

/// The browser makes no sound before somebody has touched the page.
pub const SILENT: Words = words(
    "声音未开：请工作人员触摸屏幕",
    "No sound yet: staff, please touch the screen",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_from_afar_fits_its_line() {
        let cues = [
            Cue::Closer,
            Cue::Middle,
            Cue::Look,
            Cue::Glasses,
            Cue::Hold(0, 3),
            Cue::Wait,
            Cue::Clear,
            Cue::Staff,
            Cue::Indoors,
            Cue::Cannot(Obstacle::TooCold),
        ];
        let long = |it: Words| it.zh.chars().count();
        let alone = cues.map(told).into_iter().chain([REST, OUT, ONE_AT_A_TIME]);
        for it in alone {
            assert!(long(it) <= 7 && it.en.len() <= 28, "{it:?}");
        }
        for it in cues.map(briefly) {
            assert!(long(it) <= 4 && it.en.len() <= 11, "{it:?}");
        }
        super::super::tests::both(&cues.map(told));
        super::super::tests::both(&cues.map(briefly));
        let all = cues.into_iter().filter_map(more);
        let rest = [
            REST,
            HOW,
            LEARNING,
            OUT,
            BY_STAFF,
            ONE_AT_A_TIME,
            LOST,
            BACK,
            SILENT,
            VISITOR,
        ];
        super::super::tests::both(&all.chain(rest).collect::<Vec<_>>());
        for obstacle in Obstacle::ALL {
            super::super::tests::both(&[cannot(obstacle)]);
        }
    }
}
