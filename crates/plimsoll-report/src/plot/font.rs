//! The built-in font: its bytes, and the few of its tables that laying out text needs.
//!
//! plotters' own `ab_glyph` layer rounds every advance to a pixel and drops the space left of a
//! glyph, which tears Chinese punctuation apart; so the metrics are read here.

use std::sync::OnceLock;

/// Noto Sans SC Regular, cut to the characters of the reports (OFL-1.1, `assets/OFL.txt`).
pub(super) static BYTES: &[u8] = include_bytes!("../../assets/NotoSansSC-subset.ttf");

/// Stands for characters that the font lacks.
const LACKING: char = '·';

/// Horizontal metrics of the built-in font, in parts of the em.
pub(super) struct Font {
    units_per_em: f64,
    ascent: f64,
    descent: f64,
    hmtx: &'static [u8],
    long_metrics: usize,
    cmap: &'static [u8],
}

/// One character's advance and the space to the left of its ink, in parts of the em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Glyph {
    pub(super) advance: f64,
    pub(super) left: f64,
}

/// Returns the built-in font, read once; `None` if its tables are not what they should be.
pub(super) fn font() -> Option<&'static Font> {
    static FONT: OnceLock<Option<Font>> = OnceLock::new();
    FONT.get_or_init(|| Font::parse(BYTES)).as_ref()
}

impl Font {
    fn parse(bytes: &'static [u8]) -> Option<Self> {
        let head = table(bytes, *b"head")?;
        let hhea = table(bytes, *b"hhea")?;
        Some(Self {
            units_per_em: f64::from(u16_at(head, 18)?),
            ascent: f64::from(i16_at(hhea, 4)?),
            descent: f64::from(i16_at(hhea, 6)?),
            hmtx: table(bytes, *b"hmtx")?,
            long_metrics: usize::from(u16_at(hhea, 34)?),
            cmap: segment_map(table(bytes, *b"cmap")?)?,
        })
    }

    /// Height of a line, from ascent to descent, in parts of the em.
    pub(super) fn line_height(&self) -> f64 {
        (self.ascent - self.descent) / self.units_per_em
    }

    /// Metrics of `character`, or of the font's box for missing characters.
    pub(super) fn glyph(&self, character: char) -> Glyph {
        self.metrics(self.index(character)).unwrap_or(Glyph {
            advance: 1.0,
            left: 0.0,
        })
    }

    /// Returns `text` with one [`LACKING`] in place of each run of characters that the font lacks: emoji
    /// and rare scripts, in names that are not ours. It would draw a box for each.
    pub(super) fn drawable(&self, text: &str) -> String {
        let mut drawn = String::new();
        let mut lacked = false;
        for character in text.chars() {
            let has = self.has(character);
            match (has, lacked) {
                (true, _) => drawn.push(character),
                (false, false) => drawn.push(LACKING),
                (false, true) => {}
            }
            lacked = !has;
        }
        drawn
    }

    /// Whether the font can draw `character`.
    pub(super) fn has(&self, character: char) -> bool {
        self.index(character) != 0
    }

    /// Width of `text` set at `em` pixels.
    pub(super) fn width(&self, text: &str, em: f64) -> f64 {
        text.chars().map(|c| self.glyph(c).advance * em).sum()
    }

    /// Returns `text`, cut and ended with an ellipsis if it is wider than `room` pixels at `em`.
    pub(super) fn fitted(&self, text: &str, em: f64, room: f64) -> String {
        if self.width(text, em) <= room {
            return text.to_owned();
        }
        let mut left = room - self.width("…", em);
        let kept = text.chars().take_while(|&c| {
            left -= self.glyph(c).advance * em;
            left >= 0.0
        });
        kept.chain(['…']).collect()
    }

    fn metrics(&self, index: u16) -> Option<Glyph> {
        let index = usize::from(index);
        let last = self.long_metrics.checked_sub(1)?;
        let advance = u16_at(self.hmtx, 4 * index.min(last))?;
        let left = if index <= last {
            i16_at(self.hmtx, 4 * index + 2)?
        } else {
            i16_at(
                self.hmtx,
                4 * self.long_metrics + 2 * (index - self.long_metrics),
            )?
        };
        Some(Glyph {
            advance: f64::from(advance) / self.units_per_em,
            left: f64::from(left) / self.units_per_em,
        })
    }

    /// Glyph number of `character`, 0 for none (`OpenType`, `cmap` format 4).
    fn index(&self, character: char) -> u16 {
        u16::try_from(u32::from(character))
            .ok()
            .and_then(|code| self.lookup(code))
            .unwrap_or(0)
    }

    fn lookup(&self, code: u16) -> Option<u16> {
        let doubled = usize::from(u16_at(self.cmap, 6)?);
        let (ends, starts) = (14, 16 + doubled);
        let (deltas, offsets) = (starts + doubled, starts + 2 * doubled);
        for segment in (0..doubled).step_by(2) {
            if u16_at(self.cmap, ends + segment)? < code {
                continue;
            }
            let start = u16_at(self.cmap, starts + segment)?;
            if start > code {
                return None;
            }
            let delta = u16_at(self.cmap, deltas + segment)?;
            let offset = usize::from(u16_at(self.cmap, offsets + segment)?);
            if offset == 0 {
                return Some(code.wrapping_add(delta));
            }
            let at = offsets + segment + offset + 2 * usize::from(code - start);
            return match u16_at(self.cmap, at)? {
                0 => None,
                index => Some(index.wrapping_add(delta)),
            };
        }
        None
    }
}

/// Returns the table named `tag` of a TrueType file.
fn table(bytes: &'static [u8], tag: [u8; 4]) -> Option<&'static [u8]> {
    let count = usize::from(u16_at(bytes, 4)?);
    let record = bytes
        .get(12..)?
        .chunks_exact(16)
        .take(count)
        .find(|r| r.starts_with(&tag))?;
    let start = usize::try_from(u32_at(record, 8)?).ok()?;
    let length = usize::try_from(u32_at(record, 12)?).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

/// Returns the format 4 part of a `cmap` table.
fn segment_map(cmap: &'static [u8]) -> Option<&'static [u8]> {
    let count = usize::from(u16_at(cmap, 2)?);
    (0..count).find_map(|i| {
        let part = cmap.get(usize::try_from(u32_at(cmap, 4 + 8 * i + 4)?).ok()?..)?;
        (u16_at(part, 0)? == 4).then_some(part)
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u16::from_be_bytes(*b))
}

fn i16_at(bytes: &[u8], at: usize) -> Option<i16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| i16::from_be_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|b| u32::from_be_bytes(*b))
}
