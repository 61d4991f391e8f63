"""The one code of a language that has several: RFC 5646 wants the shortest, and none that is out of use.

ISO 639-2/T and 639-3 give the 184 languages of ISO 639-1 a code of three letters too, ISO 639-2/B gives 20 of them a
second one (registration authorities: Library of Congress, SIL; checked against pycountry 26.2.16). The list is
closed: RFC 5646 §2.2.1 keeps a language that has a code of three letters from ever getting one of two. Out of use are
codes that the IANA Language Subtag Registry deprecates in favour of another, and those that 639-2 has withdrawn.
"""

from __future__ import annotations

from typing import Final

_TERMINOLOGY: Final = """
    aar:aa abk:ab afr:af aka:ak amh:am ara:ar arg:an asm:as ava:av ave:ae aym:ay aze:az bak:ba bam:bm bel:be ben:bn
    bis:bi bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cha:ch che:ce chu:cu chv:cv cor:kw cos:co cre:cr cym:cy dan:da
    deu:de div:dv dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fry:fy ful:ff
    gla:gd gle:ga glg:gl glv:gv grn:gn guj:gu hat:ht hau:ha hbs:sh heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy
    ibo:ig ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka
    kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln
    lit:lt ltz:lb lub:lu lug:lg mah:mh mal:ml mar:mr mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na nav:nv
    nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj ori:or orm:om oss:os pan:pa pli:pi
    pol:pl por:pt pus:ps que:qu roh:rm ron:ro run:rn rus:ru sag:sg san:sa sin:si slk:sk slv:sl sme:se smo:sm sna:sn
    snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg
    tgl:tl tha:th tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo
    wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu
"""
_BIBLIOGRAPHIC: Final = """
    alb:sq arm:hy baq:eu bur:my chi:zh cze:cs dut:nl fre:fr geo:ka ger:de gre:el ice:is mac:mk mao:mi may:ms per:fa
    rum:ro slo:sk tib:bo wel:cy
"""
_OUT_OF_USE: Final = "bih:bh in:id iw:he ji:yi jw:jv mo:ro mol:ro scc:sr scr:hr"

_SHORTEST: Final = dict(pair.split(":") for pair in f"{_TERMINOLOGY} {_BIBLIOGRAPHIC} {_OUT_OF_USE}".split())


def shortest(code: str) -> str:
    """Return the code of a language that RFC 5646 wants for `code`, which is in lower case: ``en`` for ``eng``."""
    return _SHORTEST.get(code, code)
