from __future__ import annotations

import copy
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import vocabulary as module
from matcher.errors import VocabularyError
from matcher.vocabulary import Vocabulary, load, load_bundled, load_csv, read_compiled
from matcher.vocabulary_csv import LONGEST_CODE, Concept

SOUND = """code,label,parent
treatment,Treatment,
surgery,Surgery,treatment
lumpectomy,"Lumpectomy, one side",surgery
driving_again,Driving again,
"""


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "experiences.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(scope="module")
def icd() -> Vocabulary:
    return load_bundled("icd10cm")


class TestHierarchy:
    def test_a_csv_file_in_use(self, write):
        vocabulary = load_csv(write(SOUND))
        assert vocabulary.name == "experiences.csv"
        assert len(vocabulary) == 4
        assert vocabulary.codes() == ("driving_again", "lumpectomy", "surgery", "treatment")
        assert vocabulary.ancestors("lumpectomy") == ("surgery", "treatment")
        assert vocabulary.ancestors("lumpectomy") is vocabulary.ancestors("lumpectomy")
        assert vocabulary.ancestors("treatment") == ()
        assert vocabulary.label("lumpectomy") == "Lumpectomy, one side"
        assert vocabulary.label("driving_again") == "Driving again"
        assert vocabulary.up(["lumpectomy", "own words"]) == {"lumpectomy", "surgery", "treatment", "own words"}
        assert vocabulary.up(()) == frozenset()
        assert repr(vocabulary) == "<Vocabulary experiences.csv: 4 concepts>"

    @pytest.mark.parametrize("code", ["", "nothing", "surgery\0", "\0", "\ud800", "Surgery", "surger", "x" * 500, "zz"])
    def test_an_unknown_code(self, write, code):
        vocabulary = load_csv(write(SOUND))
        assert code not in vocabulary
        assert vocabulary.ancestors(code) == ()
        assert vocabulary.up([code]) == {code}
        assert vocabulary.label(code) == code
        assert vocabulary._rows == vocabulary._ancestors == {}, "what strangers send is not remembered"

    def test_only_strings_are_codes(self, write):
        assert 5 not in load_csv(write(SOUND))

    def test_codes_beyond_ascii(self, write):
        vocabulary = load_csv(write("code,label,parent\nźródło,Źródło,\nżal,Żal,źródło\n"))
        assert vocabulary.ancestors("żal") == ("źródło",)
        assert vocabulary.label("źródło") == "Źródło"
        assert "żal" in vocabulary

    @given(st.data())
    def test_agrees_with_a_plain_dictionary(self, data):
        codes = data.draw(st.lists(st.text("abcé.-", min_size=1, max_size=4), min_size=1, max_size=30, unique=True))
        parent = {
            code: data.draw(st.sampled_from(["", *codes[:place]]), label=f"parent of {code}")
            for place, code in enumerate(codes)
        }
        shuffled = data.draw(st.permutations(codes))
        vocabulary = Vocabulary.from_concepts("v", [Concept(code, f"«{code}»", parent[code]) for code in shuffled])
        assert vocabulary.codes() == tuple(sorted(codes))
        for code in codes:
            climbed = []
            above = parent[code]
            while above:
                climbed.append(above)
                above = parent[above]
            assert vocabulary.ancestors(code) == tuple(climbed)
            assert vocabulary.label(code) == f"«{code}»"
            assert code in vocabulary

    def test_a_chain_of_ten_thousand(self):
        chain = [Concept(f"c{row}", "label", f"c{row - 1}" if row else "") for row in range(10_000)]
        assert len(Vocabulary.from_concepts("v", chain).ancestors("c9999")) == 9_999


class TestDigest:
    def test_depends_on_content_only(self, write):
        rows = SOUND.splitlines()
        vocabulary = load_csv(write(SOUND))
        sorted_anew = load_csv(write("\r\n".join([rows[0], *reversed(rows[1:])]), "other.csv"))
        assert vocabulary == sorted_anew
        assert hash(vocabulary) == hash(sorted_anew)
        assert len(vocabulary.digest) == 64
        assert vocabulary != "experiences.csv"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("surgery,Surgery,treatment", "surgery,Surgery,"),
            ("Driving", "driving"),
            ("driving_again,", "driving,"),
            # The same bytes in another place.
            ("surgery,Surgery,", "surger,ySurgery,"),
        ],
    )
    def test_every_column_counts(self, write, old, new):
        changed = SOUND.replace(old, new).replace(",surgery\n", ",\n")
        assert load_csv(write(SOUND.replace(",surgery\n", ",\n"))) != load_csv(write(changed, "changed.csv"))

    def test_clone_shares_it(self, write):
        vocabulary = load_csv(write(SOUND))
        assert copy.deepcopy(vocabulary) is vocabulary


class TestNearest:
    @pytest.mark.parametrize(
        ("code", "hint"),
        [
            ("lumpectmy", "; did you mean 'lumpectomy'?"),
            (" Driving again", "; did you mean 'driving_again'?"),
            ("SURGERY", "; did you mean 'surgery'?"),
            ("surgerx", "; did you mean 'surgery'?"),
            ("qqqq", ""),
            ("", ""),
            ("\ud800", ""),
            ("s" * 10_000, ""),
        ],
    )
    def test_own_words(self, write, code, hint):
        assert load_csv(write(SOUND)).nearest(code) == hint

    @pytest.mark.parametrize(
        ("code", "near"), [("c509", "C50.9"), ("C50.99", "C50.9"), ("F32A", "F32.A"), ("c50.9 ", "C50.9")]
    )
    def test_icd(self, icd, code, near):
        assert icd.nearest(code) == f"; did you mean {near!r}?"


class TestRefusedCsv:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "line 1: found no concept; expected at least one row of code,label,parent"),
            ("code,label,parent\n", "line 1: found no concept"),
            ("code,label\na,A\n", "line 1: found columns 'code, label'; expected a first line that names"),
            ("a,A,\n", "line 1: found columns 'a, A, '"),
            ("code,label,parent,code\na,A,,a\n", "line 1: found column 'code' twice"),
            ("code,label,parent\na,A\n", "line 2: found 2 cells; expected 3, as in the header"),
            ("code,label,parent\na,A, or B,\n", "line 2: found 4 cells; expected 3, as in the header; put a label"),
            ("code,label,parent\na,A,\n,B,\n", "line 3: found an empty code"),
            ("code,label,parent\na, ,\n", "line 2: found an empty label"),
            ("code,label,parent\na,A,\n\nb,B,\na,C,\n", "line 5: found code 'a' again, as on line 2; expected each"),
            ("code,label,parent\nalpha,A,\nb,B,alpah\n", "line 3: found parent 'alpah'; expected a code of this file"),
            ("code,label,parent\nalpha,A,\nb,B,alpah\n", "did you mean 'alpha'?"),
            ("code,label,parent\na,A,a\n", "line 2: found parent 'a' of 'a', which leads back to 'a'"),
            ("code,label,parent\nr,R,\na,A,c\nb,B,a\nc,C,b\n", "line 3: found parent 'c' of 'a', which leads back"),
            ("code,label,parent\nx,X,a\na,A,b\nb,B,a\n", "line 3: found parent 'b' of 'a', which leads back to 'a'"),
            ('code,label,parent\na,"A\nstill,\n', "line 2: found a row that is not CSV"),
            ('code,label,parent,note\na,A,,"two\nlines"\nb,"B" x,,\n', "line 4: found a row that is not CSV"),
            ('code,label,parent\na,"A\nB",\n', "line 2: found the invisible character U+000A in the label"),
            ("code,label,parent\na\u200bb,A,\n", "line 2: found the invisible character U+200B in the code"),
            ("code,label,parent\na,A\x1b[31m,\n", "line 2: found the invisible character U+001B in the label"),
            ("code,label,parent\na,A\0,\n", "line 2: found a NUL character"),
            (b"code,label,parent\na,A,\nb,\xe9t\xe9,\n", "line 3: found byte 0xe9; expected UTF-8 text"),
            (b"code,label,parent\na,\xed\xa0\x80,\n", "line 2: found byte 0xed; expected UTF-8 text"),
            ("code,label,parent\na,A,\n".encode("utf-16"), "line 1: found byte 0xff; expected UTF-8 text"),
            (f"code,label,parent\n{'x' * 129},A,\n", "line 2: found a code of 129 bytes; expected at most 128"),
            (f"code,label,parent\na,{'x' * 1001},\n", "line 2: found a label of 1001 bytes; expected at most 1000"),
            (f"code,label,parent\na,{'x' * 200_000},\n", "line 2: found a row that is not CSV (field larger"),
        ],
    )
    def test_names_line_found_and_expected(self, write, content, message):
        with pytest.raises(VocabularyError) as caught:
            load_csv(write(content))
        assert caught.value.message.startswith("experiences.csv, line ")
        assert message in caught.value.message
        assert "expected" in caught.value.message

    def test_no_file(self, tmp_path):
        with pytest.raises(VocabularyError, match=r"none\.csv: cannot be read \(No such file or directory\); expected"):
            load_csv(tmp_path / "none.csv")

    def test_a_folder(self, tmp_path):
        with pytest.raises(VocabularyError, match="cannot be read"):
            load_csv(tmp_path)

    @given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: ("code,label,parent\n" + text).encode()))
    def test_any_bytes_are_read_or_refused(self, tmp_path_factory, content):
        path = tmp_path_factory.mktemp("any") / "any.csv"
        path.write_bytes(content)
        try:
            vocabulary = load_csv(path)
        except VocabularyError:
            return
        assert len(vocabulary) >= 1


class TestExcelCsv:
    @pytest.mark.parametrize(
        "content",
        [
            "\ufeff" + SOUND,
            SOUND.replace("\n", "\r\n") + ",,\r\n\r\n",
            SOUND.replace('"Lumpectomy, one side"', "Lumpectomy§ one side").replace(",", ";").replace("§", ","),
            'note,parent,code,label\n,,treatment,Treatment\n"two\nlines",treatment,surgery,Surgery\n'
            ',surgery,lumpectomy,"Lumpectomy, one side"\n,,driving_again, Driving again \n',
        ],
        ids=["byte order mark", "CRLF and blank rows", "semicolons", "other columns and order"],
    )
    def test_is_the_same_vocabulary(self, write, content):
        assert load_csv(write(content)) == load_csv(write(SOUND, "plain.csv"))

    def test_joiners_may_stand_in_a_label(self, write):
        label = "می\u200cخواهم"
        assert load_csv(write(f"code,label,parent\na,{label},\n")).label("a") == label


class TestIcd:
    def test_hierarchy(self, icd):
        assert len(icd) == 98_466
        assert icd.ancestors("C50.911") == ("C50.91", "C50.9", "C50", "2")
        assert icd.ancestors("A00.1") == ("A00", "A00-A09", "1")
        assert icd.ancestors("2") == ()
        assert "S00.00XA" in icd
        assert icd.label("C50.9") == "Malignant neoplasm of breast of unspecified site"
        assert icd.label(icd.codes()[0]) == "Certain infectious and parasitic diseases (A00-B99)"
        assert icd.label(icd.codes()[-1])

    def test_loads_within_100_ms(self):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            load_bundled.__wrapped__("icd10cm")
            times.append(time.perf_counter() - start)
        assert min(times) <= 0.1

    def test_is_loaded_once(self, icd, tmp_path):
        assert load("icd10cm", tmp_path) is icd

    @pytest.mark.filterwarnings("ignore:.* is deprecated. Use files:DeprecationWarning")
    def test_is_what_the_package_says(self, icd):
        import simple_icd_10_cm as source  # takes seconds

        codes = set(source.get_all_codes(True))
        assert set(icd.codes()) == codes
        for code in sorted(codes)[::7]:
            # A block of one category bears its code, and so stands twice.
            above = dict.fromkeys(source.get_ancestors(code))
            above.pop(code, None)
            assert icd.ancestors(code) == tuple(above)
            assert icd.label(code) == source.get_description(code).strip()


class TestBundledFile:
    def test_missing(self, monkeypatch, tmp_path):
        monkeypatch.setattr(module, "DATA", tmp_path)
        with pytest.raises(VocabularyError, match=r"icd10cm: found no file icd10cm\.npz; it is made .*`make setup`"):
            load_bundled.__wrapped__("icd10cm")

    @pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
    def test_damaged(self, write, content):
        with pytest.raises(VocabularyError, match=r"v: found v\.npz damaged; .*`make setup`"):
            read_compiled("v", write(content, "v.npz"))

    def test_cut_or_changed(self, write):
        whole = (module.DATA / "icd10cm.npz").read_bytes()
        for content in (whole[:-100], whole[:2000] + bytes(64) + whole[2064:]):
            with pytest.raises(VocabularyError, match="damaged"):
                read_compiled("v", write(content, "v.npz"))

    @pytest.mark.parametrize(
        "save",
        [
            lambda path: np.savez(path, codes=np.array([b"a"])),
            lambda path: np.savez(path, codes=np.array([object()]), parents=[-1], labels=[65], ends=[1]),
            lambda path: np.save(path, np.zeros(3)),
        ],
        ids=["an array is missing", "pickled objects", "one array, no archive"],
    )
    def test_not_ours(self, tmp_path, save):
        save(tmp_path / "v.npz")
        path = next(tmp_path.iterdir())
        with pytest.raises(VocabularyError, match="damaged"):
            read_compiled("v", path)


class TestLoad:
    def test_a_file_beside_the_programme(self, write):
        path = write(SOUND)
        assert load("experiences.csv", path.parent) == load_csv(path)

    def test_neither_bundled_nor_csv(self, tmp_path):
        with pytest.raises(VocabularyError, match=r"found 'icd10'; expected a bundled .* did you mean 'icd10cm'\?"):
            load("icd10", tmp_path)

    def test_an_unknown_bundled_name(self):
        with pytest.raises(VocabularyError, match="found 'snomed'; expected one of icd10cm"):
            load_bundled("snomed")

    def test_the_longest_code(self, write):
        code = "x" * LONGEST_CODE
        assert code in load_csv(write(f"code,label,parent\n{code},A,\n"))
