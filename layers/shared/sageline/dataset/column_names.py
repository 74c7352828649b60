"""What the name of a column says: the names that labels, ids, texts, quantities and times usually have."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_in(name: str) -> list[str]:
    """The words of a column's name: lower case, without accents; camel case and signs part them."""
    apart = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name.strip()))
    return _WORDS.findall(unicodedata.normalize("NFC", _ACCENTS.sub("", apart)).lower())


def normalized_name(name: str) -> str:
    """The same as one text."""
    return " ".join(words_in(name))


def _names(listed: str) -> frozenset[str]:
    """Names that are listed with commas between them, as :func:`normalized_name` spells them."""
    return frozenset(normalized_name(name) for name in listed.split(","))


_PLAINLY_LABEL = _names(
    """
    label, labels, target, targets, groundtruth, ytrue, response, dependent, class label, target class, etiqueta, etichetta,
    etiquette, etiket, rotulo, objetivo, obiettivo, cible, alvo, zielvariable, zielwert, zielklasse, ziel, doel, hedef, cel,
    метка, цель, таргет, 标签, 目标, 標籤, 目標, ラベル, 正解, 目的変数, 레이블, 라벨, 목표
    """
)
"""A label is called so, and hardly anything else is."""

_OUTCOMES = _names(
    """
    churn, churned, churns, exited, attrition, cancelled, canceled, survived, survival, died, deceased, default, defaulted,
    fraud, fraudulent, spam, ham, outcome, diagnosis, medv, malignant, bankrupt, subscribed, converted, conversion,
    purchased, bought, clicked, approved, denied, returned, refunded, renewed, readmitted,
    toxic, sentiment, intent, median house value, med house val, sale price,
    serious dlqin2yrs, kundigung, gekundigt, storniert, abgewandert, resilie, cancelado, disdetto, betrug, diagnose, fraude,
    frode, abandono, diagnostico, diagnostic
    """
)
"""What happened in the end: what somebody wants to know beforehand."""

_OFTEN_LABEL = _names(
    """
    class, classes, klasse, clase, classe, klass, klasa, sinif, класс, 类别, 分类, クラス, 分類, 분류, price, preis, prix, precio,
    prezzo, preco, prijs, cena, fiyat, цена, 价格, 価格, 가격, rating, score, quality, qualitat, calidad, qualite, qualita,
    qualidade, grade, nota, bewertung, status, result, ergebnis, resultat, resultado, risultato, результат, 结果, sales,
    umsatz, ventes, ventas, vendite, vendas, purchase, species, specie, espece, especie, tag, tags, topic, thema, category,
    categories, kategorie, categoria, categorie, категория, mpg
    """
)
"""Labels are often called so, and so are features."""

_CODES = _names(
    """
    zip, zip code, zipcode, zip 5, postal code, postalcode, postcode, post code, plz, postleitzahl, code postal, codigo postal,
    cep, pin code, pincode, area code, dialling code, fips, fips code, county code, country code, state code, region code, naics,
    naics code, sic, sic code, icd, icd10, icd 10, hs code, mcc, branch code, sort code,
    邮编, 邮政编码, 郵便番号, 우편번호, индекс
    """
)
"""Codes whose size says nothing."""

_TEXTS = _names(
    """
    abstract, body, comment, comments, content, description, document, headline, message, post, query, question, review,
    sentence, subject, summary, text, title, tweet, utterance, kommentar, beschreibung, nachricht, frage, satz, titel,
    texte, commentaire, texto, comentario, testo
    """
)

_QUANTITIES = _names(
    """
    price, preis, prix, precio, prezzo, preco, prijs, cena, fiyat, цена, 价格, 価格, 가격, amount, betrag, montant, importe,
    importo, valor, value, wert, cost, costs, kosten, cout, coste, sales, umsatz, ventes, ventas, vendite, vendas, revenue,
    profit, income, salary, gehalt, wage, age, alter, edad, eta, idade, leeftijd, weight, gewicht, poids, peso, height,
    hohe, temperature, temperatur, distance, duration, dauer, duree, mileage, area, flache, size, medv, mpg, rent, miete
    """
)
"""Whose values are amounts, however few they are."""

_TIMES = _names(
    """
    year, years, month, day, week, weekday, quarter, hour, minute, second, date, time, timestamp, epoch, epochs, step,
    steps, iteration, period, t, trend, decade, season, round, generation, jahr, monat, tag, woche, quartal, stunde, zeit,
    datum, annee, an, mois, jour, semaine, heure, ano, mes, dia, semana, hora, anno, mese, giorno, ora, jaar, maand, год,
    месяц, день, 年, 月, 日
    """
)
"""Which go up by one from row to row, and are no row numbers."""

_CALENDAR = _names(
    """
    year, month, day, week, weekday, quarter, date, timestamp, t, jahr, monat, tag, woche, quartal, datum, annee, an, mois, jour,
    semaine, ano, mes, dia, semana, anno, mese, giorno, jaar, maand, год, месяц, день, 年, 月, 日
    """
)
"""Which say when a row was, and are hardly what is to be predicted."""

_BIRTHS = _names("birth, born, birthday, birthdate, dob, geburtsdatum, geburtstag, naissance, nacimiento, nascita, nascimento")

_OWNERS = _names(
    """
    customer, client, user, patient, person, subject, passenger, participant, student, employee, member, household, family,
    account, driver, speaker, author, writer, respondent, applicant, borrower, player, session, device, machine, vehicle, store,
    shop, hospital, kunde, kunden, patientin, nutzer, benutzer, konto, cliente, paciente, usuario, utilisateur
    """
)
"""Of whom or what there may be several rows."""

_ID_WORDS = _names(
    """
    id, ids, uid, uuid, guid, key, pk, index, idx, row, rowid, rownames, rowname, rownum, rownumber, no, nr, num, number,
    numbers, ref, reference, serial, sn, pid, sid, cid, oid, recno, obs, identifier, kennung, kennziffer, nummer, lfd,
    zeile, schlussel, numero, identifiant, folio, clave, identificador, identificativo, codice, codigo, code, numer, lp,
    lopnr, sira, kod, номер, ид, идентификатор, код, 编号, 序号, 番号, 번호, 編號, 序號, 连番, 通番
    """
)
_ID_SUFFIX = re.compile(
    r"(customer|client|user|order|passenger|patient|person|product|item|transaction|account|session|device|employee|student|"
    r"sample|record|row|case|subject|member|loan|invoice|ticket|event|policy|claim|store|movie|track|song|article|doc|document|"
    r"message|tweet|post|comment|review|visit|encounter|study|kunden|auftrags|beleg|bestell|artikel|rechnungs|matrikel|patienten|konto|"
    r"personal|vertrags|zeilen|datensatz|laufende)(id|ids|no|nr|num|number|nummer|key|code|ref)"
)
_UNNAMED = re.compile(r"(unnamed:? ?\d*|column ?1|x\.?1?|\.\.\.1|n°|nº|№|#)", re.IGNORECASE)


def _among(name: str, names: frozenset[str]) -> bool:
    words = normalized_name(name)
    return words in names or words.replace(" ", "") in names


def is_plainly_label(name: str) -> bool:
    return _among(name, _PLAINLY_LABEL)


def is_outcome(name: str) -> bool:
    """Whether the name is that of an outcome, such as ``churned``, ``is_fraud`` or ``Survived``."""
    words = words_in(name)
    if words[:1] in (["is"], ["has"], ["was"], ["did"], ["will"]):
        words = words[1:]
    return " ".join(words) in _OUTCOMES


def is_often_label(name: str) -> bool:
    return _among(name, _OFTEN_LABEL)


def holds_label_word(name: str) -> bool:
    """Whether one of several words of the name is one of a label, as in ``loan_status`` or ``target_variable``."""
    words = words_in(name)
    return len(words) > 1 and any(word in _PLAINLY_LABEL | _OUTCOMES | _OFTEN_LABEL for word in words)


def is_y(name: str, listed: list[str]) -> bool:
    """Whether it is called ``y`` and is no coordinate: beside an ``x`` and other columns it may be one."""
    others = [other for other in listed if other != name]
    return normalized_name(name) == "y" and (
        len(others) == 1 or not any(normalized_name(other) in ("x", "z") for other in others)
    )


def is_code(name: str) -> bool:
    """Whether the name is that of a code which may look like a number, such as ``zip_code`` or ``PLZ``."""
    return _among(name, _CODES)


def is_text(name: str) -> bool:
    return _among(name, _TEXTS)


def is_quantity(name: str) -> bool:
    """Whether the name is that of an amount, such as ``price``, ``SalePrice`` or ``age``."""
    return _among(name, _QUANTITIES) or any(word in _QUANTITIES for word in words_in(name)[-1:])


def is_time(name: str) -> bool:
    return _among(name, _TIMES) or any(word in _TIMES for word in words_in(name))


def is_calendar(name: str) -> bool:
    """Whether its whole name is that of a part of a date, such as ``year`` or ``Day``."""
    return _among(name, _CALENDAR)


def is_birth(name: str) -> bool:
    """Whether a word of the name says that somebody was born then, which is not when the row was."""
    return not _BIRTHS.isdisjoint(words_in(name))


def is_owner(name: str) -> bool:
    """Whether the name is that of somebody or something that may have several rows, such as ``customer`` or ``patient_id``."""
    words = words_in(name)
    return bool(words) and (words[0] in _OWNERS or "".join(words).removesuffix("id") in _OWNERS)


def is_id(name: str) -> bool:
    """Whether the name is that of a row's identifier, such as ``customer_id``, ``PassengerId`` or ``Kundennummer``."""
    words = words_in(name)
    joined = "".join(words)
    if _UNNAMED.fullmatch(name.strip()) and name.strip().lower() not in ("x", "x1"):
        return True
    return bool(words) and (
        words[-1] in _ID_WORDS or words[0] == "id" or joined in _ID_WORDS or _ID_SUFFIX.fullmatch(joined) is not None
    )


def like_dataset(name: str, dataset: str) -> bool:
    """Whether a column is called like the dataset, but for its case, signs and a plural."""
    column, whole = "".join(words_in(name)), "".join(words_in(dataset))
    return bool(column) and (column == whole or is_one_of(name, dataset) or column == whole + "s")


def is_one_of(name: str, dataset: str) -> bool:
    """Whether the dataset's name is the plural of the column's."""
    return "".join(words_in(name)) + "s" == "".join(words_in(dataset))


def in_dataset(name: str, dataset: str) -> bool:
    """Whether a column is called like one of the words in the dataset's name."""
    column = "".join(words_in(name))
    return len(column) > 2 and any(column in (word, word + "s", word.removesuffix("s")) for word in words_in(dataset))
