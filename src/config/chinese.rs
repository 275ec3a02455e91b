//! What every key is for, in Chinese, and what it may hold: for the pages of settings. The English stands
//! in the table of keys itself, which messages about the file use.

use super::keys::{Key, Kind};

/// What a section is about: Chinese, English.
#[must_use]
pub(super) fn section(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "site" => ("地点", "Site"),
        "camera" => ("相机", "Camera"),
        "reference" => ("黑体", "Reference (blackbody)"),
        "room" => ("室内环境", "Room"),
        "screening" => ("判断规则", "Screening"),
        "alerts" => ("警报的提醒", "Alerts"),
        "notify_wecom" => ("企业微信群机器人", "WeCom robot"),
        "notify_dingtalk" => ("钉钉群机器人", "DingTalk robot"),
        "notify_webhook" => ("其他系统（Webhook）", "Webhook"),
        "mqtt" => ("街道连接（MQTT）", "Street (MQTT)"),
        "checklist" => ("自查清单", "Checklist"),
        "web" => ("网页", "Pages"),
        "visitor" => ("访客屏", "Visitor screen"),
        "store" => ("数据保存", "Storage"),
        "people" => ("人员登记", "Register"),
        "metrics" => ("监控指标", "Metrics"),
        _ => return None,
    })
}

/// What a key is for.
#[must_use]
pub(super) fn about(key: &Key) -> Option<&'static str> {
    Some(match (key.section, key.name) {
        ("site", "street") => "街道办代号，是每个 MQTT 主题的一部分",
        ("site", "building") => "楼宇代号，是每个 MQTT 主题的一部分",
        ("site", "gate") => "本入口的代号，是每个 MQTT 主题的一部分",
        ("site", "name_zh") => "屏幕上显示的中文楼名",
        ("site", "name_en") => "屏幕上显示的英文楼名",
        ("camera", "source") => "画面来源：相机、模拟、录像",
        ("camera", "device") => "相机设备，最好用 /dev/v4l/by-id 下的名字；不填则按型号寻找",
        ("camera", "recording") => "来源为 recording 时要播放的文件",
        ("camera", "scenario") => "来源为 simulator 时的场景名或文件",
        ("camera", "width") => "向相机要求的画面宽度（旋转之前）；不填按型号",
        ("camera", "height") => "向相机要求的画面高度（旋转之前）；不填按型号",
        ("camera", "fps") => "向相机要求的帧率；不填由相机决定",
        ("camera", "shutter") => "由谁决定快门校正：gateway 会等到无人时，最多十分钟",
        ("camera", "rotate_degrees") => "顺时针旋转多少度后人是正的",
        ("camera", "profile") => "相机型号：内置名称或文件路径",
        ("camera", "scale") => "一个计数是多少开尔文；不填按型号",
        ("camera", "silent_after_s") => "多久没有画面算相机无声",
        ("reference", "present") => "画面里是否有黑体；没有则只能相对比较（相对模式）",
        ("reference", "set_point_c") => "黑体的设定温度",
        ("reference", "second_set_point_c") => "第二个黑体的设定温度，与第一个至少差 2 K",
        ("reference", "emissivity") => "黑体表面发射率；厂家已计入设定值的填 1.0",
        ("reference", "set_point_uncertainty_k") => "设定温度的标准不确定度（k = 1）",
        ("reference", "distance_m") => "黑体离相机多远；不填按人脸距离",
        ("room", "ambient_c") => "门口气温；不填则由画面估计",
        ("room", "ambient_uncertainty_k") => "气温的标准不确定度；不填：有温度计 0.5，没有 2",
        ("room", "humidity_percent") => "门口空气的相对湿度",
        ("room", "reflected_c") => "皮肤所反射的环境（相机背后的墙）的温度；不填按气温",
        ("screening", "attention_c") => "从这个估计值起由工作人员复测",
        ("screening", "fever_c") => "从这个估计值起为疑似发热并报警",
        ("screening", "target_specificity") => "代替 fever_c：不发热的人中不被误报的比例",
        ("screening", "min_looks") => "一个读数至少需要的有效画面数",
        ("screening", "min_face_px") => "可以测量的最小人脸宽度",
        ("alerts", "reminder_min") => "多久无人处理就再次提醒保安；0 为不提醒",
        ("alerts", "manager_min") => "多久无人处理就通知物业经理；0 为不通知",
        ("alerts", "street_min") => "多久无人处理就通知街道办；0 为不通知",
        ("alerts", "outcome_min") => "处理后多久没有结果就提醒处理人；0 为不提醒",
        ("alerts", "hook") => "报警时立即运行的程序，用于灯或喇叭",
        ("alerts", "picture") => "警报旁是否显示当时的热像；只在内存中，记录结果后即删",
        ("notify_wecom" | "notify_dingtalk", "url_file") => {
            "文件（权限 0600），首行是机器人的地址；不填则不通知"
        }
        ("notify_webhook", "url_file") => "文件（权限 0600），首行是接收 JSON 的地址；不填则不通知",
        ("notify_dingtalk", "secret_file") => "文件（权限 0600），首行是机器人的加签密钥",
        ("notify_webhook", "secret_file") => "文件（权限 0600），首行是签名用的密钥",
        ("notify_webhook", "alerts") => "是否告知疑似发热及其结果",
        (section, "alerts") if section.starts_with("notify_") => "是否告知疑似发热",
        (section, "reminders") if section.starts_with("notify_") => {
            "是否告知无人处理的警报和到期的人员跟进（只有人数）"
        }
        (section, "faults") if section.starts_with("notify_") => "是否告知设备故障",
        ("mqtt", "enabled") => "是否把事件发往消息服务器",
        ("mqtt", "host") => "消息服务器的名称或地址",
        ("mqtt", "port") => "消息服务器的端口；不填为 1883，TLS 为 8883",
        ("mqtt", "client_id") => "同一服务器上每台设备必须不同",
        ("mqtt", "username") => "在消息服务器的用户名；不填则不发送",
        ("mqtt", "password_file") => "文件（权限 0600），首行是密码",
        ("mqtt", "tls") => "是否用 TLS 1.2 以上连接；证书须与 host 相符",
        ("mqtt", "ca_file") => "可以签发服务器证书的机构证书（PEM）",
        ("mqtt", "certificate_file") => "服务器要求时，本机自己的证书（PEM）",
        ("mqtt" | "web", "key_file") => "该证书的私钥（PEM，权限 0600）",
        ("mqtt", "street_receipts") => "街道办是否回执；没有回执则服务器收到即算送达",
        ("mqtt", "home_assistant") => "是否向 Home Assistant 通告本机",
        ("mqtt", "commands") => "允许街道办远程要求的事",
        ("mqtt", "keep_alive_s") => "多久没有消息就询问服务器是否还在",
        ("checklist", "site") => "六类清单中的哪一类；有自己的清单时以其为准",
        ("checklist", "file") => "本单位自己的清单：增加的项目和责任人",
        ("checklist", "report_at") => "每日一报几点自动提交，例如 20:00",
        ("web", "listen") => "网页在哪个地址和端口提供",
        ("web", "address") => "手机打开网页用的地址，印在二维码里；不填按 listen",
        ("web", "names") => "本机在网络上的名称，按人们输入的写；证书写给这些名称",
        ("web", "certificate_file") => "网页的证书（PEM）；不填由本机自签",
        ("visitor", "sound") => "访客屏是否发声",
        ("web", "metrics_token_file") => {
            "文件（权限 0600），首行是读取 /metrics 必须带的口令；不填则不提供指标"
        }
        ("people", "key_file") => "文件（权限 0600），人员登记的密钥；不填则首次启动时生成",
        ("people", "rules") => "重点地区、观察天数、措施和保存期限；不填用内置的",
        ("store", "folder") => "数据库所在的文件夹",
        ("store", "backup_folder") => "每晚备份放在哪里，最好是另一块盘",
        ("store", "backups_kept") => "保留多少份每晚备份；0 为不备份",
        ("store", "backup_hour") => "几点备份（本地时间）",
        ("store", "keep_clear_days") => "未见发热者的读数保留多久；人数一直保留",
        ("store", "keep_events_days") => "其他事件和有结果的警报保留多久",
        ("store", "keep_messages_days") => "已送达的消息保留多久",
        ("store", "keep_audit_days") => "谁做了什么，保留多久",
        ("store", "outbox_messages") => "最多多少条消息等待发送；超出时先舍弃可以舍弃的",
        ("store", "outbox_mib") => "等待发送的消息最多占多少空间",
        ("store", "disk_floor_mib") => "磁盘剩余少于此数时报故障",
        _ => return None,
    })
}

/// What is allowed.
#[must_use]
pub(super) fn allowed(kind: Kind) -> String {
    let spaced = |unit: &str| match unit {
        "" => String::new(),
        "pixels" => " 像素".to_owned(),
        "frames" => " 帧".to_owned(),
        "frames a second" => " 帧/秒".to_owned(),
        "min" => " 分钟".to_owned(),
        "s" => " 秒".to_owned(),
        "days" => " 天".to_owned(),
        other => format!(" {other}"),
    };
    match kind {
        Kind::Switch => "是或否".to_owned(),
        Kind::Date => "日期，例如 2020-02-24".to_owned(),
        Kind::Numbers {
            most,
            low,
            high,
            unit,
        } => format!("1 到 {most} 个数，{low:?} 到 {high:?}{}", spaced(unit)),
        Kind::Number { low, high, unit } => format!("{low:?} 到 {high:?}{}", spaced(unit)),
        Kind::Whole { low, high, unit } => format!("整数，{low} 到 {high}{}", spaced(unit)),
        Kind::Word(words) => format!("其一：{}", words.join("、")),
        Kind::Words(words) => format!("任选：{}", words.join("、")),
        Kind::Choice(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
            format!("其一：{}", numbers.join("、"))
        }
        Kind::Name(most) => format!("1 到 {most} 个字母、数字、_ 或 -"),
        Kind::Text(most) => format!("一行，1 到 {most} 个字"),
        Kind::Path => "文件或文件夹的路径".to_owned(),
        Kind::Address => "地址和端口，例如 127.0.0.1:8080".to_owned(),
        Kind::Hosts(most) => format!("主机名或地址，最多{most}个"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    #[test]
    fn every_key_and_section_has_its_chinese() {
        for key in keys::ALL {
            assert!(about(key).is_some(), "{} in [{}]", key.name, key.section);
            assert!(section(key.section).is_some(), "[{}]", key.section);
        }
    }
}
