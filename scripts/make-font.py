#!/usr/bin/env python3
"""Makes crates/plimsoll-report/assets/NotoSansSC-subset.ttf and OFL.txt.

The font is Noto Sans SC Regular (OFL-1.1) cut down to ASCII, the characters that occur in the
sources of plimsoll-report, and a fixed list for texts about load tests. Run it again when a text
needs a character that the font does not have (the unit test `every_text_has_its_glyphs` says so):

    python3 scripts/make-font.py

It needs Python 3, npm and a network; everything it installs goes to a temporary folder.
The same sources give the same bytes.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv

FONT_PACKAGE = "@fontsource/noto-sans-sc@5.3.0"
PYTHON_PACKAGES = ["fonttools==4.68.0", "brotli==1.2.1"]

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATE = ROOT / "crates" / "plimsoll-report"
ASSETS = CRATE / "assets"

NAMES = {1: "Noto Sans SC", 4: "Noto Sans SC Regular", 6: "NotoSansSC-Regular"}

PUNCTUATION = "、。，：；！？（）《》「」【】“”‘’…—–·×÷±≤≥≈≠→←↑↓∞°µ²³√−%‰～│─●○■□▲△◆◇✓①②③④⑤"

# The characters of load-test reports, grouped by the words they come from.
HANZI = """
并发路数吞吐量首字时延载重线容上限下网关建议均值拐点效率请求每秒毫分钟小天输出入词元长度速
测试压力负荷负载报告结果结论摘要概览说明注意警告错误失败成功通过未达标判定作废无有初筛待区间置信
服务目标级别水平档位模型引擎后端前服器客户端机器主机节点集群副本地址端口协议版本名称类型参数
最大小高低多少快慢平均中位值方差标准偏差百分之比例占总共计合约为等于不超过至少大概估算预测
阶梯逐步渐进爬升二分搜索查找逼近确认保持稳定漂移突发到达开环闭环固定随机均匀指数泊松轨迹回放
显存缓存命中抢占排队列等候运行预填充解码调度批处理序连续使用利用占满耗尽瓶颈原因归因源限流
思考间隔用户人日月年周次个条项台核心内存磁盘
准确精度误差样本检验显著概率分布采集记录事件时间戳起始结束开关持续窗口期阶段热身稳态
可能够应该须必需要请勿若如果则否或与及和而且但是因此所以由于从向在对被把让将已经正再又也都只仅才就还
这那其它此该各某些什么几
图表横纵坐标轴刻左右上下虚实线空心圆灰红蓝绿颜色示例对表示见附录
生产环境推荐配置设置选择方案规划扩缩保守安全余度备份单多同异常超断连接重置拒绝流式提前空响应回答
业务场景在线代码助手内容生成对话问答快速极浸泡长短文档
每当先后随增加减提升降变化改善影响取决满足违反首打破第一二三四五六七八九十百千万亿零两半倍
做行看到了的地得过来给用以于之为没出发现找验证复查询问题解决办法仍继续停止完整部分全主副次
真假是非新旧好坏强弱早晚近内外
据数字符号格式文件保存读写打开页面
利特尔法则公定律通用扩展性拟合曲收益递峰斜陡缓边缘
种子编号标签备注作者日期校准系统软硬件驱动具自身落迟丢弃清理释放
"""


def characters():
    """All characters that the subset must have."""
    wanted = {chr(code) for code in range(0x20, 0x7F)} | set(PUNCTUATION) | set(HANZI)
    for source in sorted(CRATE.glob("src/**/*.rs")):
        wanted |= set(source.read_text(encoding="utf-8"))
    return {c for c in wanted if c.isprintable()}


def outer():
    """Prepares a temporary venv and the font package, then runs this script inside the venv."""
    with tempfile.TemporaryDirectory(prefix="make-font-") as temporary:
        folder = pathlib.Path(temporary)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], check=True)
        subprocess.run(
            ["npm", "pack", "--silent", FONT_PACKAGE],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        archive = next(folder.glob("*.tgz"))
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        subprocess.run([python, __file__, "--inner", folder / "package"], check=True)


def slices(package):
    """The woff2 files of the regular weight, the large one first."""
    files = package / "files"
    first = files / "noto-sans-sc-chinese-simplified-400-normal.woff2"
    return [first, *sorted(p for p in files.glob("*-400-normal.woff2") if p != first)]


def cut(path, wanted):
    """Returns the font at `path` reduced to `wanted`, and the characters it really has."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(path, recalcTimestamp=False)
    found = {c for c in wanted if ord(c) in font.getBestCmap()}
    if not found:
        return None, found
    options = subset.Options(
        layout_features=[],
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        hinting=False,
        notdef_outline=True,
        drop_tables=["GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx", "gasp", "DSIG"],
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(c) for c in found])
    subsetter.subset(font)
    return font, found


def inner(package):
    """Cuts every slice, merges what is left, and writes the font and its licence."""
    from fontTools.merge import Merger
    from fontTools.ttLib import TTFont

    missing = characters()
    parts = []
    for number, path in enumerate(slices(package)):
        font, found = cut(path, missing)
        if font is None:
            continue
        missing -= found
        part = package / f"part-{number:03}.ttf"
        font.flavor = None
        font.save(part)
        parts.append(str(part))
    if missing:
        print("not in Noto Sans SC, left out:", "".join(sorted(missing)), file=sys.stderr)

    # The merger stamps its output with the current time; the source's stamp keeps it reproducible.
    source = TTFont(slices(package)[0], recalcTimestamp=False)
    merged = Merger().merge(parts)
    merged.recalcTimestamp = False
    merged["head"].created = source["head"].created
    merged["head"].modified = source["head"].modified
    # The source was cut from a variable font and still bears the name of its thinnest weight.
    kept = [n for n in source["name"].names if n.nameID in (0, 1, 2, 4, 5, 6, 13, 14)]
    for name in kept:
        name.string = NAMES.get(name.nameID, str(name))
    merged["name"].names = kept
    merged["OS/2"].usWeightClass = 400
    merged["cmap"].tables = [t for t in merged["cmap"].tables if t.format == 4][:1]
    target = ASSETS / "NotoSansSC-subset.ttf"
    ASSETS.mkdir(parents=True, exist_ok=True)
    merged.save(target)
    shutil.copyfile(package / "LICENSE", ASSETS / "OFL.txt")
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inner"]:
        inner(pathlib.Path(sys.argv[2]))
    else:
        outer()
