//! Words that stand for one thing each: in files, on the wire, and in both languages on pages.

/// An enumeration of which each variant has a word for files and the wire, and a name in Chinese
/// and in English.
macro_rules! named {
    ($(#[$about:meta])* $name:ident {
        $($(#[$it:meta])* $variant:ident = $word:literal, $zh:literal, $en:literal;)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$it])* $variant,)*
        }

        impl $name {
            /// Them all, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it in files, on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// Its name in Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self {
                    $(Self::$variant => $zh,)*
                }
            }

            /// Its name in English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self {
                    $(Self::$variant => $en,)*
                }
            }

            /// The inverse of [`Self::as_str`].
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
            }
        }
    };
}

pub(crate) use named;
