//! What the forms of the register ask for, and what they send: fields by their words, symptoms ticked one by
//! one. What was written stands in the form again where something in it is wrong.

use crate::people::{Entered, Field, FieldWrong, Said, Source, Symptom};
use crate::staff::Who;
use axum::extract::Form;
use std::collections::BTreeSet;

/// What whoever comes is asked, on their own phone as at the gate; no more than the rules need.
pub(super) const ASKED_AT_THE_DOOR: [Field; 8] = [
    Field::Name,
    Field::Phone,
    Field::Company,
    Field::Floor,
    Field::From,
    Field::Arrived,
    Field::Symptoms,
    Field::Contact,
];

/// What was sent, name by name.
pub(super) type Sent = Form<Vec<(String, String)>>;

/// Ticked by whoever feels nothing.
const NONE: &str = "none";

/// What a form sent; nothing for one that is new.
#[derive(Default)]
pub(super) struct Written(Vec<(String, String)>);

impl Written {
    pub(super) fn new(Form(sent): Sent) -> Self {
        Self(sent)
    }

    /// What stands under a name; nothing where it was not sent.
    pub(super) fn one(&self, name: &str) -> &str {
        let mut all = self.0.iter();
        all.find(|it| it.0 == name).map_or("", |it| &it.1)
    }

    /// The fields of these that were sent, as [`Said::read`] takes them.
    pub(super) fn fields(&self, asked: &[Field]) -> Vec<(Field, String)> {
        let value = |field: &Field| {
            let all = self.0.iter().filter(|it| it.0 == field.as_str());
            let all: Vec<&str> = all.map(|it| it.1.as_str()).collect();
            (*field, all.join(","))
        };
        asked.iter().map(value).collect()
    }

    /// What was said in these fields.
    pub(super) fn said(&self, asked: &[Field]) -> Result<Said, Vec<FieldWrong>> {
        let fields = self.fields(asked);
        Said::read(fields.iter().map(|it| (it.0, it.1.as_str())))
    }

    /// As an entry of a source.
    pub(super) fn entered(
        &self,
        asked: &[Field],
        (source, who): (Source, &Who),
    ) -> Result<Entered, Vec<FieldWrong>> {
        Ok(Entered {
            source,
            said: self.said(asked)?,
            by: Some(who.name.clone()),
            // Where none was chosen, nothing is sent, or nothing that is a number.
            screening: self.one("screening").parse().ok(),
        })
    }

    /// The symptoms that were ticked.
    pub(super) fn symptoms(&self) -> BTreeSet<Symptom> {
        let all = self.0.iter().filter(|it| it.0 == Field::Symptoms.as_str());
        all.filter_map(|it| Symptom::parse(&it.1)).collect()
    }
}

/// A symptom to tick.
pub(super) struct Tick {
    pub(super) symptom: Symptom,
    pub(super) ticked: bool,
}

/// One field of a form, as it is asked.
pub(super) struct Asked {
    pub(super) field: Field,
    pub(super) value: String,
    pub(super) wrong: Option<FieldWrong>,
    pub(super) required: bool,
    pub(super) input: Input,
}

/// How it is asked.
pub(super) enum Input {
    /// A line, with what the browser may fill in and which keyboard a phone shows.
    Line(&'static str, &'static str),
    /// A date.
    Date,
    /// Each symptom, and none.
    Symptoms(Vec<Tick>, bool),
    /// Yes or no.
    YesNo,
}

fn input(field: Field, written: &Written) -> Input {
    match field {
        Field::Name => Input::Line("name", "text"),
        Field::Phone => Input::Line("tel", "tel"),
        Field::Company => Input::Line("organization", "text"),
        Field::Floor | Field::IdTail | Field::From | Field::Travel => Input::Line("off", "text"),
        Field::Expected | Field::Arrived => Input::Date,
        Field::Contact => Input::YesNo,
        Field::Symptoms => {
            let ticked = written.symptoms();
            let tick = |symptom: &Symptom| Tick {
                symptom: *symptom,
                ticked: ticked.contains(symptom),
            };
            let all = written.fields(&[Field::Symptoms]);
            let none = all.iter().any(|it| it.1.split(',').any(|it| it == NONE));
            Input::Symptoms(Symptom::ALL.iter().map(tick).collect(), none)
        }
    }
}

/// A form of these fields, with what was written in it and what is wrong with that.
pub(super) fn form(
    asked: &[Field],
    required: &[Field],
    written: &Written,
    wrong: &[FieldWrong],
) -> Vec<Asked> {
    let one = |(field, value): (Field, String)| Asked {
        field,
        value,
        wrong: wrong.iter().copied().find(|it| it.field == field),
        required: required.contains(&field),
        input: input(field, written),
    };
    written.fields(asked).into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Wrong;

    fn written(sent: &[(&str, &str)]) -> Written {
        let sent = sent
            .iter()
            .map(|it| (it.0.to_owned(), it.1.to_owned()))
            .collect();
        Written::new(Form(sent))
    }

    #[test]
    fn ticked_symptoms_are_said_together_and_none_beside_one_is_wrong() {
        let both = written(&[("symptoms", "cough"), ("symptoms", "fever")]);
        let said = both.said(&[Field::Symptoms]).unwrap();
        assert_eq!(said.get(Field::Symptoms).unwrap().as_str(), "fever,cough");
        let contradicts = written(&[("symptoms", "none"), ("symptoms", "fever")]);
        assert_eq!(
            contradicts.said(&[Field::Symptoms]).unwrap_err(),
            [FieldWrong {
                field: Field::Symptoms,
                wrong: Wrong::NotASymptom
            }]
        );
    }

    #[test]
    fn what_was_written_stands_in_the_form_again() {
        let sent = written(&[("name", "王芳"), ("symptoms", "cough")]);
        let form = form(&[Field::Name, Field::Symptoms], &[Field::Name], &sent, &[]);
        assert_eq!(form[0].value, "王芳");
        assert!(form[0].required && form[0].wrong.is_none());
        let Input::Symptoms(ticks, none) = &form[1].input else {
            panic!("symptoms are ticked");
        };
        let ticked: Vec<Symptom> = ticks
            .iter()
            .filter(|it| it.ticked)
            .map(|it| it.symptom)
            .collect();
        assert_eq!((ticked, *none), (vec![Symptom::Cough], false));
    }
}
