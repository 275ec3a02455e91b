//! Who works here, and who may do what.
//!
//! One table, [`Role::may`], decides it for the pages, the API and the commands; nothing else does.
//! What has a right of its own is what one role may do and another may not.

use crate::text::{Note, named};

named! {
    /// What somebody who signed in is here.
    Role {
        /// The screen that visitors see. Nobody stands behind it.
        Kiosk = "kiosk", "访客屏", "visitor screen";
        /// At the door: alerts, rounds, the day's code.
        Guard = "guard", "保安", "guard";
        /// Runs the building: everything of a guard, the report, the register.
        Manager = "manager", "物业经理", "manager";
        /// Of the street office: counts and reports, no names, changes nothing.
        StreetViewer = "street_viewer", "街道办查看", "street viewer";
        /// Runs the device: accounts and settings. Does not see the register.
        Admin = "admin", "管理员", "administrator";
    }
}

named! {
    /// Something that not everybody may do.
    Right {
        /// See the thermal picture as it is now.
        SeeLive = "see_live", "查看实时画面", "see the live picture";
        /// See what the visitor screen shows.
        SeeKiosk = "see_kiosk", "查看访客屏", "see the visitor screen";
        /// See counts, reports and how the device is.
        SeeToday = "see_today", "查看今日情况", "see the day";
        /// Acknowledge an alert and say how it ended.
        HandleAlerts = "handle_alerts", "处置警报", "handle alerts";
        /// Tick items of the rounds.
        Tick = "tick", "自查打钩", "tick rounds";
        /// Sign the pledge, excuse an item, submit the report of the day.
        RunChecklist = "run_checklist", "管理清单与日报", "run the checklist";
        /// Check a code of the day at the gate, enter who was found there.
        CheckCodes = "check_codes", "查验当日码", "check codes at the gate";
        /// See people of the register, and enter them.
        SeePeople = "see_people", "查看人员登记", "see the register";
        /// Move people between colours, import, export, erase.
        RunPeople = "run_people", "管理人员登记", "run the register";
        /// Ask the sites of a street for something.
        SendOrders = "send_orders", "向各单位下发", "send orders to sites";
        /// Make, reset and disable accounts.
        RunAccounts = "run_accounts", "管理账号", "run accounts";
        /// Settings.
        Configure = "configure", "设置系统", "configure";
    }
}

impl Role {
    /// Whether this role has that right.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        use Right::{
            CheckCodes, Configure, HandleAlerts, RunAccounts, SeeKiosk, SeeLive, SeeToday,
            SendOrders, Tick,
        };
        match self {
            Self::Kiosk => matches!(right, SeeKiosk),
            Self::Guard => matches!(
                right,
                SeeKiosk | SeeLive | SeeToday | HandleAlerts | Tick | CheckCodes
            ),
            Self::Manager => !matches!(right, Configure | SendOrders),
            Self::StreetViewer => matches!(right, SeeToday),
            Self::Admin => matches!(
                right,
                SeeKiosk | SeeLive | SeeToday | SendOrders | RunAccounts | Configure
            ),
        }
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// As it stands in the records: a person's name.
    pub name: Note,
    /// What they are here.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_who_has_no_business_there_sees_the_register() {
        for role in [Role::Kiosk, Role::StreetViewer, Role::Admin] {
            assert!(!role.may(Right::SeePeople) && !role.may(Right::RunPeople));
        }
        for right in Right::ALL {
            assert!(Role::ALL.iter().any(|role| role.may(*right)), "{right:?}");
        }
    }
}
