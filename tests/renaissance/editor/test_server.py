"""The language server, asked by a real client over standard input and output."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the language server needs pygls")

from lsprotocol import types

from renaissance.files import find_spec
from tests.renaissance.editor.client import MARK, Editor, edited

SPEC = Path(find_spec("freezing_small")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    editor = Editor(tmp_path_factory.mktemp("folder").resolve())
    yield editor
    editor.close()


def marked(text: str, *, behind: str) -> str:
    """The text with the cursor behind the first place of some characters."""
    assert behind in text
    return text.replace(behind, behind + MARK, 1)


def checked(path: Path) -> list[tuple[str, str, int, int]]:
    """What `check` finds, run in the folder of a file."""
    done = subprocess.run(
        [sys.executable, "-m", "renaissance", "check", "--format", "json", path.name],
        capture_output=True,
        text=True,
        cwd=path.parent,
        check=False,
    )
    found = json.loads(done.stdout)["diagnostics"]
    places = [one["labels"][0]["start"] for one in found]
    return [
        (one["code"], one["message"], place["line"], place["column"])
        for one, place in zip(found, places, strict=True)
    ]


def told(found: list[types.Diagnostic]) -> list[tuple[str, str, int, int]]:
    return [
        (
            str(one.code),
            one.message.partition("\n")[0],
            one.range.start.line + 1,
            one.range.start.character + 1,
        )
        for one in found
    ]


MISTAKES = (
    SPEC,
    SPEC.replace("batch     = 512", 'batch     = "512"'),
    SPEC.replace("width     = 256", "wdth = 256").replace("on words", "on wrds"),
    SPEC.replace("model image extends none {", "model image extends none "),
    "model m {",
    "",
)


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_findings_are_those_of_check(editor: Editor, number: int) -> None:
    uri, _ = editor.open(f"mistakes_{number}.vl", MISTAKES[number])
    found = editor.findings(uri)
    assert told(found) == checked(editor.root / f"mistakes_{number}.vl")


def test_what_is_not_saved_counts_and_so_does_what_an_import_says(editor: Editor) -> None:
    (editor.root / "towers.vl").write_text("let width = 64\n")
    spec = 'import "towers.vl"\n' + SPEC.replace("width     = 256", "width     = width")
    uri, _ = editor.open("importing.vl", spec)
    assert editor.findings(uri) == []
    other, _ = editor.open("towers.vl", "let breadth = 64\n", saved=False)
    assert [one.code for one in editor.findings(uri)] == ["VL104"]
    editor.shut(other)
    assert editor.findings(uri) == []


def test_a_finding_in_an_import_is_told_of_its_file(editor: Editor) -> None:
    (editor.root / "broken.vl").write_text("let width 64\n")
    uri, _ = editor.open("user.vl", 'import "broken.vl"\n' + SPEC)
    assert editor.findings(uri) == []
    assert [one.code for one in editor.findings((editor.root / "broken.vl").as_uri())] == ["VL001"]
    editor.shut(uri)
    assert editor.findings((editor.root / "broken.vl").as_uri()) == []


def test_columns_are_counted_in_utf_16(editor: Editor) -> None:
    uri, _ = editor.open("wide.vl", 'let a = "𝄞𝄞" b\n')
    [found] = editor.findings(uri)
    assert found.range.start == types.Position(0, 15)


def test_columns_are_counted_as_agreed(tmp_path: Path) -> None:
    editor = Editor(tmp_path, types.PositionEncodingKind.Utf8)
    try:
        assert editor.server.capabilities.position_encoding == types.PositionEncodingKind.Utf8
        uri, _ = editor.open("wide.vl", 'let a = "𝄞𝄞" b\n')
        [found] = editor.findings(uri)
        assert found.range.start == types.Position(0, 19)
    finally:
        editor.close()


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        ("  batch", ["count of texts", "has to be set", "impact `training`", "texts a step"]),
        ("mlp_ratio", ["default `4`", "impact `weights`"]),
        ("objective mlm", ["**`objective mlm`**", "- `probability = 15%`: share"]),
        ("freeze", ["**`freeze ADDRESS", "```vl"]),
        ("model image extends none", ["model none {", "hover.vl:6"]),
        ("data = [coco", ["data coco { format = image_caption"]),
        ("freeze vision", ["26 components", "`vision.embeddings`"]),
        ("fusion = 5, heads", ["components", "heads."]),
        ("google/electra", ["**`google/electra-small-discriminator`**", "| 12 | 256 |"]),
        ("deit_tiny", ["parameters, 12 layers, width 192"]),
        ("image_caption", ["**`format = image_caption`**", "- `table`, has to be set"]),
    ],
)
def test_hover_says_what_a_word_is(editor: Editor, behind: str, said: list[str]) -> None:
    text = editor.hover("hover.vl", marked(SPEC, behind=behind))
    assert text is not None
    for part in said:
        assert part in text


def test_hover_on_nothing_says_nothing(editor: Editor) -> None:
    assert editor.hover("hover.vl", marked(SPEC, behind="batch     = 5")) is None


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("  mic", {"micro_batch", "objective", "optimizer"}, {"batch", "pool", "name", "on"}),
        ("  prec", {"precision"}, {"batch", "steps", "data"}),
        ("  precision = ", {"fp32", "bf16", "fp16"}, {"batch", "true"}),
        ("  compile = l", {"none", "layers"}, {"fp32"}),
        ("  optimizer ", {"adamw", "sgd"}, {"mlm"}),
        ("  objective i", {"itm", "mlm"}, {"adamw"}),
        ("  optimizer adamw { we", {"weight_decay", "lr"}, {"batch"}),
        ("  data = [", {"coco", "visual_genome"}, {"none", "image"}),
        ("  decay_lr { te", {"text", "vision", "cross"}, {"batch"}),
        ("  scale_lr { vision.", {"layers", "embeddings", "norm"}, {"text", "fp32"}),
        ("  scale_lr { vision.layers[:4].", {"attention", "mlp"}, {"embeddings", "layers"}),
        ("  # pre", set(), {"precision"}),
    ],
)
def test_completion_in_a_job(
    editor: Editor, typed: str, offered: set[str], not_offered: set[str]
) -> None:
    text = SPEC.replace("  precision = bf16\n", typed + MARK + "\n")
    found = set(editor.completions("completion.vl", text))
    assert offered <= found
    assert not found & not_offered


@pytest.mark.parametrize(
    ("typed", "offered", "not_offered"),
    [
        ("pre", {"pretrain", "model", "let", "import"}, {"batch"}),
        ("pretrain more on ", {"none", "image"}, {"freeze_none", "coco"}),
        ("pretrain more extends ", {"freeze_none", "freeze_both"}, {"image"}),
        ("model more extends ", {"none", "image"}, {"freeze_none"}),
        ("finetune more ", {"from", "on"}, {"of"}),
        ("model more extends none { freeze ", {"text", "vision", "norm", "nothing"}, {"batch"}),
        ("model more extends none { freeze text.", {"layers", "norm"}, {"vision"}),
        ("model more extends none { pool = ", {"cls", "mean"}, {"text"}),
        ("model more { backbone text = ", {"huggingface", "timm"}, {"patches"}),
        ('model more { backbone text = timm("', {"deit_tiny_patch16_224"}, {"bert-base-uncased"}),
        ('import "', {"towers.vl"}, {"completion.vl"}),
        ("study s { of = [", {"freeze_none"}, {"image"}),
        ("study s { ", {"of", "seeds", "factor"}, {"batch"}),
    ],
)
def test_completion_outside(
    editor: Editor, typed: str, offered: set[str], not_offered: set[str]
) -> None:
    (editor.root / "towers.vl").write_text("let width = 64\n")
    found = set(editor.completions("completion.vl", f"{SPEC}\n{typed}{MARK}\n"))
    assert offered <= found
    assert not found & not_offered


def test_completion_of_a_name_takes_the_place_of_all_between_quotes(editor: Editor) -> None:
    text = SPEC.replace("deit_tiny_patch16_224", f"vit_{MARK}tiny")
    item = editor.completions("completion.vl", text)["vit_base_patch16_clip_224"]
    assert isinstance(item.text_edit, types.TextEdit) and item.label_details is not None
    assert item.text_edit.range == types.Range(types.Position(7, 26), types.Position(7, 34))
    assert item.label_details.description == "12 × 768"


def test_completion_of_kinds_says_what_they_are(editor: Editor) -> None:
    text = SPEC.replace("  precision = bf16\n", f"  objective {MARK}\n")
    item = editor.completions("completion.vl", text)["mlm"]
    assert isinstance(item.documentation, types.MarkupContent)
    assert item.documentation.value.startswith("Masked language modelling.")


def test_indentation_asks_for_nothing(editor: Editor) -> None:
    uri, position = editor.open("typing.vl", SPEC.replace("  precision = bf16\n", f"  {MARK}\n"))
    typed = types.CompletionContext(types.CompletionTriggerKind.TriggerCharacter, " ")
    asked = types.CompletionContext(types.CompletionTriggerKind.Invoked)
    found = [
        editor.wait(
            editor.client.text_document_completion_async(
                types.CompletionParams(types.TextDocumentIdentifier(uri), position, context)
            )
        )
        for context in (typed, asked)
    ]
    assert found[0] == [] and found[1]


def test_completion_of_keys_says_what_they_mean(editor: Editor) -> None:
    text = SPEC.replace("  precision = bf16\n", f"  {MARK}\n")
    item = editor.completions("completion.vl", text)["precision"]
    assert isinstance(item.documentation, types.MarkupContent)
    assert "default `fp32`" in item.documentation.value
    assert item.insert_text == "precision = "
    assert item.label_details == types.CompletionItemLabelDetails(description="fp32")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("batch     =", "btch =", "26 components"),
        ("  layers    = 6", "  layers    = six", "```vl\nbackbone vision = timm("),
    ],
    ids=["in a job", "in the model"],
)
def test_an_address_is_told_of_while_there_are_mistakes(
    editor: Editor, right: str, wrong: str, said: str
) -> None:
    name = f"{wrong.split()[-1].strip('=')}.vl"
    assert right in SPEC
    hovered = marked(SPEC.replace(right, wrong), behind="freeze vision")
    assert said in str(editor.hover(name, hovered))
    editor.hover(name, marked(SPEC, behind="freeze vision"))
    assert "26 components" in str(editor.hover(name, hovered))


@pytest.mark.parametrize(
    ("behind", "place"),
    [
        ("model image extends no", ("names.vl", 6, 7)),
        ("pretrain freeze_text extends freeze_n", ("names.vl", 25, 10)),
        ("on wor", ("names.vl", 19, 7)),
        ("data = [co", ("names.vl", 22, 6)),
        ("cross_attention(tex", ("names.vl", 7, 12)),
        ("freeze visi", ("names.vl", 8, 12)),
        ("  batch", None),
    ],
)
def test_definition(editor: Editor, behind: str, place: tuple[str, int, int] | None) -> None:
    assert editor.definition("names.vl", marked(SPEC, behind=behind)) == place


def test_definition_of_an_import_is_its_file(editor: Editor) -> None:
    (editor.root / "towers.vl").write_text("let width = 64\n")
    text = marked('import "towers.vl"\n' + SPEC, behind="towers")
    assert editor.definition("names.vl", text) == ("towers.vl", 1, 1)


def test_renaming_a_model(editor: Editor) -> None:
    found = editor.renamed("names.vl", marked(SPEC, behind="model no"), "plain")
    expected = SPEC.replace("model none", "model plain").replace("extends none", "extends plain")
    assert found == {"names.vl": expected.replace("on none", "on plain")}


def test_renaming_a_stream_reaches_what_is_frozen(editor: Editor) -> None:
    found = editor.renamed("names.vl", marked(SPEC, behind="backbone vis"), "eye")
    assert found is not None
    expected = SPEC.replace("backbone vision", "backbone eye").replace(
        "(text, vision)", "(text, eye)"
    )
    assert found["names.vl"] == expected.replace("freeze vision", "freeze eye")


def test_renaming_reaches_files_that_import(editor: Editor) -> None:
    (editor.root / "sizes.vl").write_text("let breadth = 256\n")
    user = 'import "sizes.vl"\n' + SPEC.replace("width     = 256", "width     = breadth")
    (editor.root / "using.vl").write_text(user)
    found = editor.renamed("sizes.vl", f"let bre{MARK}adth = 256\n", "size")
    assert found == {"sizes.vl": "let size = 256\n", "using.vl": user.replace("breadth", "size")}


def test_a_name_that_is_none_is_refused_in_a_sentence(editor: Editor) -> None:
    assert editor.renamed("names.vl", marked(SPEC, behind="model no"), "two words") is None
    assert editor.messages[-1] == "`two words` cannot be a name"


def actions(editor: Editor, uri: str) -> list[types.CodeAction]:
    whole = types.Range(types.Position(0, 0), types.Position(1000, 0))
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(uri), whole, types.CodeActionContext(diagnostics=[])
    )
    found = editor.wait(editor.client.text_document_code_action_async(params))
    return [one for one in found or () if isinstance(one, types.CodeAction)]


def test_fixes_are_the_changes_of_findings(editor: Editor) -> None:
    wrong = SPEC.replace("batch     = 512", 'batch     = "512"').replace("= bf16", '= "bf16"')
    uri, _ = editor.open("fixes.vl", wrong)
    *single, every = actions(editor, uri)
    assert [one.title for one in single] == [
        'Write `512` instead of `"512"`',
        'Write `bf16` instead of `"bf16"`',
    ]
    assert every.kind == types.CodeActionKind.SourceFixAll
    assert every.edit is not None and every.edit.changes is not None
    assert edited(editor.root / "fixes.vl", list(every.edit.changes[uri])) == SPEC


@pytest.mark.parametrize(
    ("text", "title"), [("breadth = 1\n", "Add `let`"), ("let size == 1\n", "Remove `=`")]
)
def test_a_fix_says_what_it_does(editor: Editor, text: str, title: str) -> None:
    uri, _ = editor.open("doing.vl", text)
    assert actions(editor, uri)[0].title == title


def test_without_findings_there_are_no_fixes(editor: Editor) -> None:
    uri, _ = editor.open("fixes.vl", SPEC)
    assert actions(editor, uri) == []


def formatted(editor: Editor, name: str, text: str) -> str | None:
    uri, _ = editor.open(name, text)
    params = types.DocumentFormattingParams(
        types.TextDocumentIdentifier(uri), types.FormattingOptions(tab_size=2, insert_spaces=True)
    )
    edits = editor.wait(editor.client.text_document_formatting_async(params))
    return edited(editor.root / name, list(edits)) if edits else None


def test_formatting_is_that_of_fmt(editor: Editor) -> None:
    assert formatted(editor, "layout.vl", SPEC.replace("  batch     =", "batch=")) == SPEC
    assert formatted(editor, "layout.vl", SPEC) is None
    assert formatted(editor, "layout.vl", "model {") is None


def test_symbols(editor: Editor) -> None:
    uri, _ = editor.open("symbols.vl", "let size = 1\n" + SPEC)
    params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
    found = editor.wait(editor.client.text_document_document_symbol_async(params)) or ()
    assert [one.name for one in found][:3] == ["size", "none", "image"]
    [model] = [one for one in found if one.name == "none"]
    assert isinstance(model, types.DocumentSymbol)
    assert [one.name for one in model.children or ()] == ["text", "vision", "cross"]


def test_hints_say_sizes_and_what_is_frozen(editor: Editor) -> None:
    frozen = SPEC.replace(
        "  fusion cross =", "  freeze text.layers[:4], vision until 30%\n  fusion cross ="
    ).replace("model image extends none { freeze vision }", "")
    text = (
        frozen[: frozen.index("model words")]
        + "data coco { format = image_caption, "
        + ('table = "x", root = "y" }\n' + SPEC[SPEC.index("pretrain freeze_none") :])
        .partition("pretrain freeze_image")[0]
        .replace(", visual_genome", "")
    )
    uri, _ = editor.open("hints.vl", text)
    whole = types.Range(types.Position(0, 0), types.Position(1000, 0))
    params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
    found = editor.wait(editor.client.text_document_inlay_hint_async(params)) or ()
    assert [one.label for one in found] == [
        "12 layers, 256 wide, 13.5M parameters, 4 of 12 layers frozen at first",
        "12 layers, 192 wide, 5.52M parameters, frozen at first",
        "text 4 of 12 layers frozen at first; vision frozen at first",
    ]


def test_hints_count_the_parameters_of_published_encoders(editor: Editor) -> None:
    text = """model m {
  backbone text   = huggingface("google/electra-base-discriminator")
  backbone vision = huggingface("facebook/deit-tiny-patch16-224") { layers = 2 }
  fusion cross = cross_attention(text, vision)
}
"""
    uri, _ = editor.open("counted.vl", text)
    whole = types.Range(types.Position(0, 0), types.Position(1000, 0))
    params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
    found = editor.wait(editor.client.text_document_inlay_hint_async(params)) or ()
    assert [one.label for one in found][:2] == [
        "12 layers, 768 wide, 109M parameters",
        "192 wide, 1.08M parameters",
    ]


def test_hints_stay_while_there_are_mistakes(editor: Editor) -> None:
    whole = types.Range(types.Position(0, 0), types.Position(1000, 0))
    uri, _ = editor.open("staying.vl", SPEC)
    params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
    before = editor.wait(editor.client.text_document_inlay_hint_async(params))
    editor.open("staying.vl", "model fresh { backbone other = }\n" + SPEC)
    after = editor.wait(editor.client.text_document_inlay_hint_async(params))
    assert before and after
    assert [one.label for one in before] == [one.label for one in after]
    assert [one.position.line + 1 for one in before] == [one.position.line for one in after]


def test_colors_say_what_words_are(editor: Editor) -> None:
    text = 'model 𝄞 # 𝄞 note\nmodel m { backbone text = timm("𝄞") { padding = true } }\n'
    uri, _ = editor.open("colors.vl", text)
    params = types.SemanticTokensParams(types.TextDocumentIdentifier(uri))
    found = editor.wait(editor.client.text_document_semantic_tokens_full_async(params))
    provider = editor.server.capabilities.semantic_tokens_provider
    assert found is not None and provider is not None
    sorts = provider.legend.token_types
    line = column = 0
    said = []
    for start in range(0, len(found.data), 5):
        below, right, length, sort, _ = found.data[start : start + 5]
        line, column = line + below, right + (0 if below else column)
        units = text.split("\n")[line].encode("utf-16-le")
        said.append((units[2 * column : 2 * (column + length)].decode("utf-16-le"), sorts[sort]))
    assert said == [
        ("model", "keyword"),
        ("# 𝄞 note", "comment"),
        ("model", "keyword"),
        ("m", "function"),
        ("backbone", "keyword"),
        ("text", "function"),
        ("timm", "type"),
        ('"𝄞"', "string"),
        ("padding", "property"),
        ("true", "enumMember"),
    ]


def test_what_cannot_be_read_is_a_finding(editor: Editor) -> None:
    uri, _ = editor.open("zero.vl", "let a = 1\0\n", saved=False)
    [found] = editor.findings(uri)
    assert "zero byte" in found.message
