"""HTML and SVG as elements, so that no name or id can ever be taken for markup."""

from xml.etree.ElementTree import Element, SubElement, tostring

Child = Element | str | None


def element(tag: str, *children: Child, **attributes: str | None) -> Element:
    """Make an element; text is escaped when the page is written. None is nothing, of either kind.

    An attribute's underscores are hyphens, except at its end: `class_`, `aria_label`.
    """
    made = Element(
        tag,
        {
            name.rstrip("_").replace("_", "-"): value
            for name, value in attributes.items()
            if value is not None
        },
    )
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child is not None and len(made):
            made[-1].tail = (made[-1].tail or "") + child
        elif child is not None:
            made.text = (made.text or "") + child
    return made


def page(title: str, style: str, *body: Child) -> str:
    """Write one whole document with its style inside."""
    document = element("html", lang="en")
    head = SubElement(document, "head")
    head.append(element("meta", charset="utf-8"))
    head.append(element("meta", name="viewport", content="width=device-width, initial-scale=1"))
    head.append(element("meta", name="color-scheme", content="light dark"))
    head.append(element("title", title))
    head.append(element("style", style))
    document.append(element("body", *body))
    return "<!DOCTYPE html>\n" + tostring(document, encoding="unicode", method="html") + "\n"
