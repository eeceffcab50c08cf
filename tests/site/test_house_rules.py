"""The house style that no library checks, written as tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ["club", "concierge", "marketplace", "events", "site"]
SOURCES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts
)


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT), ast.parse(path.read_text())


def test_site_is_a_folder_and_not_a_package() -> None:
    assert not (ROOT / "site" / "__init__.py").exists()


def test_each_sentence_is_found_by_makemessages() -> None:
    """It knows the functions by their own names and `_`: under another it sees no sentence."""
    found = [
        f"{path}:{node.lineno} {alias.name} as {alias.asname}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if "gettext" in alias.name and alias.asname not in (None, "_")
    ]
    assert found == []


def test_a_status_is_assigned_in_move_alone() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        if path != Path("club/kernel/transitions.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Attribute) and target.attr == "status"
    ]
    assert found == []


def updates_of_status(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"update", "bulk_update"}
            and any(keyword.arg == "status" for keyword in node.keywords)
        ):
            yield node


def test_a_status_is_updated_in_bulk_for_messages_alone() -> None:
    """Messages are sent in batches from their table; everything else moves one by one."""
    found = {str(path) for path, tree in trees() for _call in updates_of_status(tree)}
    assert found <= {"club/domain/outbox.py", "site/demo/town.py"}


def test_nothing_is_fetched_over_http_outside_the_gateways() -> None:
    """An HTTP call inside a transaction holds its locks for as long as a stranger likes."""
    allowed = {
        "club/gateway.py",
        "club/sms.py",
        "marketplace/register.py",
        "site/demo/processes.py",
    }
    found = {
        str(path)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
        if name.split(".")[0] in {"requests", "httpx", "urllib3", "stripe"}
        or name == "urllib.request"
    }
    assert found <= allowed


def test_no_module_is_named_after_nothing() -> None:
    forbidden = {"core", "common", "utils", "util", "helpers", "misc", "managers"}
    assert [str(path) for path in SOURCES if path.stem in forbidden] == []


@pytest.mark.parametrize(
    "pattern",
    [r"\bstyle=", r"\son[a-z]+=", r"<script>(?!\s*</script>)", r"javascript:"],
)
def test_no_template_of_a_page_carries_inline_style_or_script(pattern: str) -> None:
    """The Content-Security-Policy would drop it; messages by e-mail are not pages."""
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if "email" not in path.parts
        and path.name != "500.html"
        and re.search(pattern, path.read_text())
    ]
    assert found == []


def test_words_on_screen_use_french_typography() -> None:
    """A typewriter's apostrophe inside a translated sentence is a slip of the keyboard."""
    sentence = re.compile(r"""{% (?:translate|blocktranslate)[^%]*?"([^"]*'[^"]*)" """)
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in (ROOT / "templates").rglob("*.html")
        for match in sentence.findall(path.read_text())
    ]
    assert found == []


def test_buttons_carry_verbs() -> None:
    """Valider, Soumettre and OK say nothing of what will happen."""
    words = re.compile(r">\s*(?:{% translate \")?(Valider|Soumettre|OK|Envoyer le formulaire)\b")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if words.search(path.read_text())
    ]
    assert found == []
