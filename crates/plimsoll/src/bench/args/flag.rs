//! What one line of the flag table can say.

use crate::bench::failure::Instead;

/// How many words a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None: it is there or not.
    Switch,
    /// None, with a `--no-` form.
    OnOff,
    /// One.
    One,
    /// One or more, up to the next flag.
    Many1,
    /// Any number, up to the next flag.
    Many0,
}

/// What the words of a flag mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Any text.
    Text,
    /// A whole number.
    Int,
    /// A number, also `inf`.
    Float,
    /// JSON; only these flags have a dotted form.
    Json,
}

/// What is done with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It works as in `vllm bench serve`.
    Used,
    /// It exists only here, and abbreviations never mean it.
    Own,
    /// It is taken and has no effect; the help says so.
    Accepted,
    /// It is known and not offered; the text says what to do instead. Given with its default
    /// value it is harmless and taken.
    Refused(Instead),
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// Name without the leading dashes, with dashes inside.
    pub(crate) name: &'static str,
    /// Words it takes.
    pub(crate) kind: Kind,
    /// What they mean.
    pub(crate) of: Type,
    /// Default, as it would be typed.
    pub(crate) default: Option<&'static str>,
    /// What is done with it.
    pub(crate) status: Status,
    /// Help.
    pub(crate) help: &'static str,
}

impl Flag {
    const fn new(name: &'static str, kind: Kind, of: Type, help: &'static str) -> Self {
        Self {
            name,
            kind,
            of,
            default: None,
            status: Status::Used,
            help,
        }
    }

    /// A flag without a value.
    pub(super) const fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Switch, Type::Text, help)
    }

    /// A flag with a text.
    pub(super) const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::One, Type::Text, help)
    }

    /// A flag with a whole number.
    pub(super) const fn int(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::One, Type::Int, help)
    }

    /// A flag with a number.
    pub(super) const fn float(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::One, Type::Float, help)
    }

    /// A flag with JSON.
    pub(super) const fn json(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::One, Type::Json, help)
    }

    /// The same with another number of words.
    pub(super) const fn takes(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same with a default.
    pub(super) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same, without effect.
    pub(super) const fn accepted(mut self) -> Self {
        self.status = Status::Accepted;
        self
    }

    /// The same, only known here.
    pub(super) const fn own(mut self) -> Self {
        self.status = Status::Own;
        self
    }

    /// A flag that is known and not offered.
    pub(super) const fn refused(name: &'static str, kind: Kind, instead: Instead) -> Self {
        let mut flag = Self::new(name, kind, Type::Text, "not offered");
        flag.status = Status::Refused(instead);
        flag
    }
}
