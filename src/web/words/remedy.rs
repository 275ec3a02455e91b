//! What staff do about each fault, in both languages.

use super::{Words, words};
use crate::event::Fault;

/// What staff do about a fault.
#[must_use]
pub const fn remedy(fault: Fault) -> Words {
    match fault {
        Fault::ReferenceLost => words(
            "已停止判断。请检查黑体是否通电、被遮挡或移动。",
            "Nobody is judged. Check that the blackbody is powered, uncovered and in its place.",
        ),
        Fault::CameraSilent => words(
            "已停止判断。请检查相机的 USB 线，必要时重新插拔。",
            "Nobody is judged. Check the camera's USB cable; unplug it and plug it in again.",
        ),
        Fault::CameraFrozen => words(
            "已停止判断。请重新插拔相机。",
            "Nobody is judged. Unplug the camera and plug it in again.",
        ),
        Fault::WrongScale => words(
            "已停止判断。相机送出的不是温度（例如 Lepton 未开启 TLinear），或配置的型号不对：请运行 menshen cameras，\
             核对 [camera] 里的 profile。",
            "Nobody is judged. The camera does not send temperatures (a Lepton: switch TLinear on), \
             or it is another one than configured: run menshen cameras and compare profile in \
             [camera].",
        ),
        Fault::SelfCheckFailed => words(
            "请清洁黑体表面和镜头，检查黑体温度是否稳定；次日再次失败请重新校准。",
            "Clean the blackbody and the lens, and see whether the blackbody holds its temperature; \
             if it fails again tomorrow, calibrate anew.",
        ),
        Fault::CalibrationDue => words(
            "仍在判断。请尽快运行 menshen calibrate blackbody。",
            "People are still judged. Run menshen calibrate blackbody soon.",
        ),
        Fault::CalibrationExpired => words(
            "已停止判断。请运行 menshen calibrate blackbody，或检查本机时钟。",
            "Nobody is judged. Run menshen calibrate blackbody, or check this machine's clock.",
        ),
        Fault::CameraBlank => words(
            "已停止判断。请检查镜头盖，必要时重新插拔相机。",
            "Nobody is judged. Check the lens cap; unplug the camera and plug it in again.",
        ),
        Fault::BrokerAway => words(
            "警报只显示在本机，恢复后自动补发。请检查网络。",
            "Alerts show here only, and are sent when it is back. Check the network.",
        ),
        Fault::StreetSilent => words(
            "消息已到服务器，街道办未确认。请电话告知街道办。",
            "Messages reach the broker, but the street office confirms none. Phone them.",
        ),
        Fault::MessageParked => words(
            "该消息已搁置，其余继续发送。请检查消息服务器的权限设置。",
            "It was put aside, the others go on. Check the rights of this gateway at the broker.",
        ),
        Fault::OutboxFull => words(
            "警报一条不丢，统计数据可能舍弃。请检查网络与消息服务器。",
            "No alert is given up, but counts may be. Check the network and the broker.",
        ),
        Fault::StoreFailing => words(
            "警报仍会显示，但断电会丢失。请清理磁盘或更换存储卡。",
            "Alerts still show, but a power cut would lose them. Free some space, or replace the card.",
        ),
        Fault::DiskLow => words(
            "仍可记录。请尽快清理磁盘。",
            "Events are still saved. Free some space soon.",
        ),
        Fault::DatabaseSalvaged => words(
            "已启用新数据库并取回可读的记录，旧文件已保留。请联系维护人员。",
            "A new database was begun with what could be read; the old file is kept. Call the technician.",
        ),
        Fault::BackupMissed => words(
            "筛查照常，每小时再试。请检查备份盘及其空间。",
            "Screening goes on; it is tried again each hour. Check the backup disk and its room.",
        ),
        Fault::ConfigRefused => words(
            "筛查照常，按上一次的有效配置。请管理员在“设置”页查看错误。",
            "Screening goes on by the last good file. An administrator sees what is wrong on the page \
             Settings.",
        ),
        Fault::ClockUnset => words(
            "筛查照常，时间仅供参考。请检查网络对时。",
            "Screening goes on; times are not certain. Check the network's time.",
        ),
    }
}
