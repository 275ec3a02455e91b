//! What a list holds: items in categories, each with who, what, how often and how it is proved.

use super::known::Fact;
use super::schedule::Schedule;
use crate::calendar::Span;
use crate::procedure::ClauseId;
use crate::text::Words;
use crate::text::named;
use std::collections::BTreeSet;
use std::fmt;

named! {
    /// The six kinds of site, each with a list of its own.
    SiteKind {
        /// Where people live.
        Residential = "residential", "居民小区", "Residential compound";
        /// Offices.
        Office = "office", "商务楼宇", "Office building";
        /// Shops that open onto the street.
        StreetShop = "street_shop", "沿街商铺", "Street shop";
        /// Authorities, services, state-owned enterprises.
        PublicUnit = "public_unit", "公共、市政单位", "Public or municipal unit";
        /// Rented flats of an employer or of the district.
        TalentApartment = "talent_apartment", "人才公寓", "Talent apartments";
        /// Construction sites, and what else there is.
        Other = "other", "其他场所", "Other place";
    }
}

named! {
    /// What an item is about. The first eight are named in the source; the last three are headings
    /// of the re-entry procedure.
    Category {
        /// Who leads, who stands where, what is in stock.
        Organisation = "organisation", "组织动员", "Organisation and mobilisation";
        /// Entrances that are shut, people who stay outside.
        Closed = "closed", "封闭管理", "Closed management";
        /// What the guards do.
        Gate = "gate", "门岗管理", "Gate-post management";
        /// Who is there, and where they came from.
        Survey = "survey", "排摸登记", "Survey and registration";
        /// Temperatures, and the instruments.
        Temperature = "temperature", "体温筛查", "Temperature screening";
        /// Disinfection.
        Disinfection = "disinfection", "消毒消杀", "Disinfection";
        /// What is told to whom, and when.
        Feedback = "feedback", "信息反馈", "Information feedback";
        /// Everybody else: contractors, couriers, those at home.
        Others = "others", "其他人员管理", "Management of other persons";
        /// Air, lifts, rooms, meals.
        Environment = "environment", "内部环境管理", "Management of the inside";
        /// Masks and gloves of those on post.
        Protection = "protection", "人员防护", "Protection of persons";
        /// What is ready for the case that somebody is hot.
        Emergency = "emergency", "应急事件处置", "Handling of emergencies";
    }
}

named! {
    /// Working groups of the street office.
    Group {
        /// Keeps in touch with the sites.
        Liaison = "liaison", "联络协调组", "Liaison";
        /// Comes when something happens.
        Emergency = "emergency", "应急处置组", "Emergency";
        /// Collects and passes on information.
        Information = "information", "信息专报组", "Information";
        /// Masks, disinfectant, people.
        Logistics = "logistics", "工作保障组", "Logistics";
        /// Looks after enterprises.
        Enterprise = "enterprise", "企业服务组", "Enterprise service";
    }
}

named! {
    /// Who does it on the site.
    Role {
        /// Whoever runs the site.
        Manager = "manager", "负责人", "Site manager";
        /// At the entrance.
        Guard = "guard", "门岗保安", "Guard";
        /// Cleans and disinfects.
        Cleaner = "cleaner", "保洁员", "Cleaner";
        /// Air, lifts, instruments.
        Engineer = "engineer", "工程人员", "Engineer";
        /// Front desk, post room, telephone.
        Reception = "reception", "前台客服", "Front desk";
        /// The residents' committee.
        Committee = "committee", "居委干部", "Residents' committee";
        /// Residents, party members and others who help.
        Volunteer = "volunteer", "志愿者", "Volunteer";
        /// Whoever answers for one company or household in the building.
        Tenant = "tenant", "入驻单位联络员", "Tenant's contact";
        /// Shop staff.
        Shopkeeper = "shopkeeper", "店长", "Shopkeeper";
        /// The canteen.
        Cook = "cook", "食堂负责人", "Canteen manager";
        /// Nobody: the gateway fills it in.
        Gateway = "gateway", "本机自动", "The gateway itself";
    }
}

named! {
    /// Where on the site it is done: a code on the wall there opens its items.
    Place {
        /// Where people come in.
        Entrance = "entrance", "出入口", "Entrance";
        /// Behind it, with the front desk.
        Lobby = "lobby", "大堂", "Lobby";
        /// Lifts and escalators.
        Lifts = "lifts", "电梯", "Lifts";
        /// Corridors, stairs and pantries of the floors.
        Floors = "floors", "楼层公共区", "Floors";
        /// Toilets and wash basins.
        Washrooms = "washrooms", "卫生间", "Washrooms";
        /// Meeting rooms, rooms for leisure, laundries.
        CommonRooms = "common_rooms", "公共用房", "Common rooms";
        /// Where people eat.
        Canteen = "canteen", "食堂", "Canteen";
        /// Garages and vehicles.
        CarPark = "car_park", "车库", "Car park";
        /// Air conditioning.
        PlantRoom = "plant_room", "空调机房", "Plant room";
        /// Where disinfectant is mixed.
        CleaningRoom = "cleaning_room", "保洁间", "Cleaning room";
        /// Where parcels and meals are handed over.
        Parcels = "parcels", "快递点", "Parcel point";
        /// Waste, and used masks.
        Waste = "waste", "垃圾点", "Waste point";
        /// Where somebody who is hot waits.
        IsolationRoom = "isolation_room", "隔离室", "Isolation room";
        /// Counters and the people who wait for them.
        ServiceHall = "service_hall", "办事大厅", "Service hall";
        /// Where customers are.
        ShopFloor = "shop_floor", "营业区", "Shop floor";
        /// Where workers sleep.
        Dormitory = "dormitory", "宿舍", "Dormitory";
        /// Where they work.
        WorkArea = "work_area", "作业区", "Work area";
        /// Outdoors, and the fence.
        Grounds = "grounds", "院内、围墙", "Grounds and fence";
    }
}

named! {
    /// Whether an item may be left out.
    Duty {
        /// Never.
        Required = "required", "规定动作", "Required";
        /// Where the site has no use for it.
        Optional = "optional", "自选动作", "Optional";
    }
}

/// The name of an item, for ever: trends survive a new wording by it. Small letters, digits and
/// dashes, 3 to 40 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(String);

impl ItemId {
    /// What the site's own items begin with: no template will ever have such a one.
    pub const OWN: &'static str = "own-";

    /// A name, or `None` where it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let fits = plain && (3..=40).contains(&text.len());
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of the site's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.starts_with(Self::OWN)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The numbers with which something is in order, both included.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    unit: String,
}

impl Range {
    /// A range; `None` where it is empty, reversed or not finite, or the unit is missing.
    #[must_use]
    pub fn new(low: f64, high: f64, unit: &str) -> Option<Self> {
        let unit = unit.trim();
        let sane = low.is_finite() && high.is_finite() && low < high && high.abs() < 1e9;
        (sane && !unit.is_empty()).then(|| Self {
            low,
            high,
            unit: unit.to_owned(),
        })
    }

    /// Whether a number is in order.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        (self.low..=self.high).contains(&number)
    }

    /// Whether it allows nothing that another one does not.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.unit == other.unit && other.low <= self.low && self.high <= other.high
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Lowest and highest number.
    #[must_use]
    pub const fn limits(&self) -> (f64, f64) {
        (self.low, self.high)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{} {}", self.low, self.high, self.unit)
    }
}

/// How it is shown that something was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Proof {
    /// Somebody says so.
    Tick,
    /// A number, which must be within these limits.
    Number(Range),
    /// The time at which it was done.
    Time,
    /// A few words.
    Text,
    /// The gateway knows it and fills it in.
    Known(Fact),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Number(range) => write!(f, "number {range}"),
            Self::Time => f.write_str("time"),
            Self::Text => f.write_str("text"),
            Self::Known(fact) => write!(f, "known {}", fact.as_str()),
        }
    }
}

impl std::str::FromStr for Proof {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "\"{text}\" is no proof; write \"tick\", \"number 250..500 mg/L\", \"time\", \
                 \"text\" or \"known\" and one of {}",
                Fact::ALL
                    .iter()
                    .map(|fact| fact.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["tick"] => Ok(Self::Tick),
            ["time"] => Ok(Self::Time),
            ["text"] => Ok(Self::Text),
            ["known", fact] => Fact::parse(fact).map(Self::Known).ok_or_else(refused),
            ["number", limits, unit @ ..] => {
                let (low, high) = limits.split_once("..").ok_or_else(refused)?;
                let number = |text: &str| text.parse::<f64>().ok();
                number(low)
                    .zip(number(high))
                    .and_then(|(low, high)| Range::new(low, high, &unit.join(" ")))
                    .map(Self::Number)
                    .ok_or_else(|| {
                        format!(
                            "\"{text}\" is no range; write the lower number, two dots, the higher \
                             one and the unit, such as \"number 250..500 mg/L\""
                        )
                    })
            }
            _ => Err(refused()),
        }
    }
}

/// One thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name for ever.
    pub id: ItemId,
    /// What it is about.
    pub category: Category,
    /// Whether it may be left out.
    pub duty: Duty,
    /// What to do.
    pub what: Words,
    /// Who does it.
    pub role: Role,
    /// Where it is done; `None`: at no place of its own.
    pub place: Option<Place>,
    /// Which group of the street office answers for it.
    pub group: Group,
    /// How often, and by when.
    pub schedule: Schedule,
    /// How it is shown.
    pub proof: Proof,
    /// Whether a picture is asked for, too. Never in a template: a site says so itself.
    pub photo: bool,
    /// The clause of the procedure that speaks of it.
    pub clause: Option<ClauseId>,
    /// Where a number in it comes from.
    pub source: Option<String>,
}

/// A list as the project ships it, for one kind of site.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// For which kind.
    pub site: SiteKind,
    /// Its version, from 1.
    pub version: u32,
    /// When the site is open, where it does not say.
    pub open: Span,
    /// Its shifts, where it does not say.
    pub shifts: Vec<Span>,
    items: Vec<Item>,
}

/// What keeps items from being a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Two items have this name.
    TwiceThere(ItemId),
    /// An item with the name of a site's own one.
    LooksOwn(ItemId),
    /// A picture is asked for by a template.
    AsksForPhoto(ItemId),
    /// Filled in by the gateway, but done by people, or the other way round.
    RoleAndProof(ItemId),
    /// No items at all.
    Empty,
    /// No shifts at all.
    NoShifts,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwiceThere(id) => write!(f, "there are two items {id}"),
            Self::LooksOwn(id) => write!(
                f,
                "{id} begins with {}, which only a site's own items do",
                ItemId::OWN
            ),
            Self::AsksForPhoto(id) => write!(f, "{id} asks for a photo, which only a site may do"),
            Self::RoleAndProof(id) => write!(
                f,
                "{id}: what the gateway fills in has who = \"gateway\", and nothing else has"
            ),
            Self::Empty => f.write_str("there are no items"),
            Self::NoShifts => f.write_str("there are no shifts"),
        }
    }
}

impl std::error::Error for Flaw {}

impl Flaw {
    /// The item in question, where it is one.
    #[must_use]
    pub const fn item(&self) -> Option<&ItemId> {
        match self {
            Self::TwiceThere(id)
            | Self::LooksOwn(id)
            | Self::AsksForPhoto(id)
            | Self::RoleAndProof(id) => Some(id),
            Self::Empty | Self::NoShifts => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TwiceThere(_) => "give one of them another id",
            Self::LooksOwn(_) => "begin it with the letters of its list, such as off-",
            Self::AsksForPhoto(_) => "leave the photo to the site's own file",
            Self::RoleAndProof(_) => "write who = \"gateway\" together with proof = \"known ...\"",
            Self::Empty => "write at least one [[item]]",
            Self::NoShifts => "write shifts = [\"07:00-19:00\"] below [hours]",
        }
    }
}

impl Template {
    /// A template of these items.
    ///
    /// # Errors
    /// The first [`Flaw`] there is.
    pub fn new(
        site: SiteKind,
        version: u32,
        (open, shifts): (Span, Vec<Span>),
        items: Vec<Item>,
    ) -> Result<Self, Flaw> {
        if items.is_empty() {
            return Err(Flaw::Empty);
        }
        if shifts.is_empty() {
            return Err(Flaw::NoShifts);
        }
        let mut seen = BTreeSet::new();
        for item in &items {
            let id = || item.id.clone();
            let known = matches!(item.proof, Proof::Known(_));
            if !seen.insert(&item.id) {
                return Err(Flaw::TwiceThere(id()));
            } else if item.id.is_own() {
                return Err(Flaw::LooksOwn(id()));
            } else if item.photo {
                return Err(Flaw::AsksForPhoto(id()));
            } else if known != (item.role == Role::Gateway) {
                return Err(Flaw::RoleAndProof(id()));
            }
        }
        Ok(Self {
            site,
            version,
            open,
            shifts,
            items,
        })
    }

    /// Its items, in the order in which they are shown.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How many of a category are required, and how many optional.
    #[must_use]
    pub fn count(&self, category: Category) -> (usize, usize) {
        let of = |duty| {
            let is = |item: &&Item| item.category == category && item.duty == duty;
            self.items.iter().filter(is).count()
        };
        (of(Duty::Required), of(Duty::Optional))
    }
}
