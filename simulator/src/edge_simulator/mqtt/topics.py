"""Topic names and filters (MQTT 3.1.1, section 4.7)."""


def is_name(topic: str) -> bool:
    """Say whether a message may be published to `topic`."""
    return bool(topic) and "+" not in topic and "#" not in topic


def is_filter(text: str) -> bool:
    """Say whether `text` may be subscribed to: wildcards fill whole levels and `#` comes last."""
    *levels, last = text.split("/")
    return (
        bool(text)
        and all("#" not in level and (level == "+" or "+" not in level) for level in levels)
        and (last in {"+", "#"} or ("#" not in last and "+" not in last))
    )
