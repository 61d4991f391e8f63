from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, literal_column, select, table, text

from service.store.live_tables import LiveRow
from service.store.statement_parts import columns, names_of_programmes, programme_column, texts_of
from service.store.tables import InstallationRow, ProgrammeRow

LIVE = LiveRow.__table__


def test_columns_in_another_order_are_not_taken_for_each_other() -> None:
    one, other = select(LIVE.c.id, LIVE.c.programme_id), select(LIVE.c.programme_id, LIVE.c.id)
    assert columns(one, one) == [LIVE.c.id, LIVE.c.programme_id]
    assert columns(one, other) == []


def test_a_table_belongs_to_programmes_whatever_it_is_called_and_whoever_names_it() -> None:
    lightweight = table("live")
    reflected = Table("live", MetaData(), Column("id", Integer))
    elsewhere = Table("another", MetaData(), Column("programme_id", Integer))
    for one in (LIVE, LIVE.alias(), lightweight, reflected, elsewhere, lightweight.alias("x")):
        assert programme_column(one) == "programme_id"
    assert programme_column(ProgrammeRow.__table__) == "id"
    assert programme_column(InstallationRow.__table__) is None
    assert programme_column(select(LIVE).subquery()) is None


def test_what_is_text_is_seen_but_for_a_star_and_a_number() -> None:
    assert texts_of(text("1 = 1")) == ["1 = 1"]
    assert texts_of(literal_column("now()")) == ["now()"]
    assert texts_of(literal_column("*")) == texts_of(literal_column("1")) == []
    assert texts_of(select(LIVE).prefix_with("ALL").suffix_with("FOR SHARE")) == ["ALL", "FOR SHARE"]
    assert texts_of(select(LIVE).with_hint(LIVE, "NOLOCK").with_statement_hint("SLOWLY")) == ["NOLOCK", "SLOWLY"]


def test_a_text_names_tables_as_words() -> None:
    assert list(names_of_programmes("SELECT * FROM Live JOIN members ON live.id = 1")) == ["live", "members"]
    assert list(names_of_programmes("SELECT alive FROM olive, installation")) == []
