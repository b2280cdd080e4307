"""Codes of languages: files have those of three letters (ISO 639-2), people write two (639-1)."""

_CODES = """
af afr, am amh, ar ara, as asm, az aze, ba bak, be bel, bg bul, bn ben, bo bod tib, br bre, bs bos,
ca cat, cs ces cze, cy cym wel, da dan, de deu ger, el ell gre, en eng, es spa, et est, eu eus baq,
fa fas per, fi fin, fo fao, fr fra fre, ga gle, gl glg, gu guj, ha hau, he heb, hi hin, hr hrv,
ht hat, hu hun, hy hye arm, id ind, is isl ice, it ita, ja jpn, jv jav, ka kat geo, kk kaz, km khm,
kn kan, ko kor, la lat, lb ltz, ln lin, lo lao, lt lit, lv lav, mg mlg, mi mri mao, mk mkd mac,
ml mal, mn mon, mr mar, ms msa may, mt mlt, my mya bur, ne nep, nl nld dut, no nor, nb nob, nn nno,
oc oci, pa pan, pl pol, ps pus, pt por, ro ron rum, ru rus, sa san, sd snd, si sin, sk slk slo,
sl slv, sn sna, so som, sq sqi alb, sr srp, su sun, sv swe, sw swa, ta tam, te tel, tg tgk, th tha,
tk tuk, tl tgl, tr tur, tt tat, uk ukr, ur urd, uz uzb, vi vie, yi yid, yo yor, zh zho chi, zu zul
"""

_NAMES = {code: codes.split()[0] for codes in _CODES.split(",") for code in codes.split()}


def same_language(one: str, other: str) -> bool:
    """Whether two codes, such as `en`, `eng` and `en-US`, name one language."""
    return _name(one) == _name(other)


def _name(code: str) -> str:
    language = code.lower().replace("_", "-").split("-")[0]
    return _NAMES.get(language, language)
