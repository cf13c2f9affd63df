"""Units of measure, what they convert to, and what a quantity is per. English names and the usual signs."""

from __future__ import annotations

Measure = tuple[str, float]  # what is measured, and how much of its base unit one of these is

# one line a kind: base first; names of one unit joined by "=", its factor after "*" (1 when left out)
_KINDS = """
mass: g=gram=gramme=gm; mg=milligram=milligramme * .001; µg=μg=mcg=ug=microgram * .000001; kg=kilo=kilogram=kilogramme * 1000;
 tonne * 1000000; lb=pound * 453.59237; oz=ounce * 28.349523125
volume: l=liter=litre; ml=milliliter=millilitre=cc * .001; cl=centiliter=centilitre * .01; dl=deciliter=decilitre * .1
length: m=meter=metre; mm=millimeter=millimetre * .001; cm=centimeter=centimetre * .01; km=kilometer=kilometre * 1000;
 nm=nanometer=nanometre * .000000001; mile=mi * 1609.344; yard=yd * .9144; foot=feet=ft * .3048; inch=inche * .0254
time: sec=seconds=s; ms=millisecond * .001; min=minute * 60; hour=hr=h * 3600; day * 86400; week=wk * 604800;
 fortnight * 1209600
calendar: month; quarter * 3; year=yr * 12; decade * 120; century=centurie * 1200
usd: $=dollar=usd; cent=¢ * .01
eur: €=euro=eur; cent=¢ * .01
gbp: £=gbp=pound; pence=penny * .01
byte: byte; kb=kilobyte * 1000; mb=megabyte * 1000000; gb=gigabyte * 1000000000; tb=terabyte * 1000000000000
power: w=watt; kw=kilowatt * 1000; mw=megawatt * 1000000; gw=gigawatt * 1000000000
energy: kcal; calorie=cal; kj=kilojoule * .239
amount: mol; mmol * .001; µmol=μmol=umol * .000001
percent: %=percent=per cent=percentage
celsius: c=celsius=centigrade
fahrenheit: f=fahrenheit
"""
_COUNTED = """
working-day acre hectare gallon pint quart cup tablespoon teaspoon tbsp tsp ton stone knot mph kph volt ampere kwh hz khz mhz
ghz iu meq mmhg bpm tablet capsule pill dose drop puff unit injection spoonful degree point time visit
"""
RATES = {
    "daily": "day", "nightly": "day", "weekly": "week", "fortnightly": "fortnight", "monthly": "month", "hourly": "hour",
    "quarterly": "quarter", "yearly": "year", "annually": "year", "annual": "year", "annum": "year",
}  # fmt: skip
PER = frozenset({"per", "a", "an", "each", "every", "/"})


def _read() -> tuple[dict[str, tuple[Measure, ...]], dict[str, str]]:
    measures: dict[str, tuple[Measure, ...]] = {}
    names: dict[str, str] = {}
    for line in _KINDS.replace("\n ", " ").strip().splitlines():
        kind, _, units = line.partition(":")
        for unit in units.split(";"):
            spelled, _, factor = unit.partition("*")
            first, *others = spelled.strip().split("=")
            for name in (first, *others):
                measures[name] = (*measures.get(name, ()), (kind, float(factor or 1)))
                names.setdefault(name, first)
    for name in _COUNTED.split():
        measures[name] = ((name, 1.0),)
        names[name] = name
    return measures, names


_MEASURES, _NAMES = _read()


def unit_of(word: str) -> str | None:
    """The one name of a unit in small letters ("Milligrams" is "mg"); None when the word is none."""
    lower = word.lower()
    if lower in _NAMES:
        return _NAMES[lower]
    return _NAMES.get(lower[:-1]) if lower.endswith("s") and len(lower) > 2 else None


def measures_of(word: str) -> tuple[Measure, ...]:
    """What a unit measures, by any of its names; two for "pounds" and "cents"; () when the word is none."""
    lower = word.lower()
    return _MEASURES.get(lower) or (_MEASURES.get(lower[:-1], ()) if lower.endswith("s") else ())
