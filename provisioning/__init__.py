"""Everything that makes, equips and watches over hubs from outside."""
