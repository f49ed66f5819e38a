//! What happened to a run beside its levels: that it was resumed, or judged again.

use plimsoll_core::run::Run;

use crate::lang::Lang;
use crate::words;

/// The notes on it; none for a run from beginning to end under its own SLO.
pub(crate) fn history(run: &Run, lang: Lang) -> impl Iterator<Item = String> {
    resumed(run, lang).into_iter().chain(rejudged(run, lang))
}

fn resumed(run: &Run, lang: Lang) -> Option<String> {
    let last = run.resumptions.last()?;
    let (times, level) = (run.resumptions.len(), last.next_level);
    let times_en = match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{times} times"),
    };
    Some(lang.pick(
        format!(
            "The run was resumed {times_en}, the last time after {level} levels: what came before \
             was measured at another time."
        ),
        format!(
            "测试中断后接着做过 {times} 次，最近一次在第 {level} 档之后：前后各档不是连续测得的。"
        ),
    ))
}

fn rejudged(run: &Run, lang: Lang) -> Option<String> {
    let own = words::slo(&run.rejudged.as_ref()?.slo, lang);
    Some(lang.pick(
        format!(
            "Judged again from the saved requests; the run itself was steered by {own}. Loads were \
             chosen and held for that, not for this SLO."
        ),
        format!("本结论由已保存的请求重新评判得出；测试当时的目标：{own}，并发档位和每档时长都是按它选的。"),
    ))
}
