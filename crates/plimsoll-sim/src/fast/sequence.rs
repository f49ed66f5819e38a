//! One request inside the fast engine.

/// A sequence; while it decodes, what it has computed follows from the step.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    /// The caller's name for it.
    pub(super) id: u64,
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
    /// Tokens whose KV exists, as of `since` while it decodes, else now.
    pub(super) computed: u32,
    /// Output tokens given out, as of `since` while it decodes, else now.
    pub(super) emitted: u32,
    /// First step in which it decodes.
    pub(super) since: u64,
    pub(super) decodes: bool,
    /// Blocks held while it does not decode; while it decodes they follow from `computed`.
    pub(super) blocks: u32,
    /// Tokens of the step that is planned, while it does not decode.
    pub(super) taken: u32,
    /// Number of its admission, while it runs.
    pub(super) ticket: Option<u64>,
    /// Prompt tokens that a prefix cache answers at admission.
    pub(super) cached_tokens: u32,
}

impl Sequence {
    /// Tokens computed at the start of `step`.
    pub(super) fn computed_at(&self, step: u64) -> u32 {
        if self.decodes {
            self.computed + (step - self.since) as u32
        } else {
            self.computed
        }
    }

    /// Tokens to compute before the next one comes out, while it does not decode.
    pub(super) fn due(&self) -> u32 {
        self.prompt_tokens + self.emitted - self.computed
    }
}
