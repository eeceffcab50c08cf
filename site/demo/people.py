"""The people of the demonstration town. None of them exists."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Home:
    """A household: its adults as (first name, last name, how they are reached)."""

    adults: tuple[tuple[str, str, str], ...]
    size: int
    tenant: bool
    right: str
    """`active`, `soon` (ends within two weeks), `expired` or `none`."""


MAIL, PHONE, BOTH, NOTHING = "mail", "phone", "both", ""


def home(size: int, tenant: bool, right: str, *adults: tuple[str, str, str]) -> Home:
    return Home(adults, size, tenant, right)


HOMES = (
    home(5, True, "active", ("Samira", "Benali", BOTH), ("Yacine", "Benali", MAIL)),
    home(3, True, "active", ("Jeanne", "Delattre", PHONE)),
    home(4, True, "active", ("Mamadou", "Diallo", MAIL), ("Aïssatou", "Diallo", BOTH)),
    home(1, True, "active", ("Bernard", "Caron", PHONE)),
    home(6, True, "active", ("Fatoumata", "Traoré", BOTH)),
    home(2, True, "active", ("Michel", "Vasseur", MAIL), ("Odile", "Vasseur", NOTHING)),
    home(4, True, "active", ("Élodie", "Lefèvre", MAIL), ("Kévin", "Boulanger", MAIL)),
    home(3, True, "active", ("Nguyen Thi", "Phan", BOTH)),
    home(5, True, "active", ("Mehmet", "Yıldız", MAIL), ("Ayşe", "Yıldız", PHONE)),
    home(1, True, "active", ("Simone", "Dubus", NOTHING)),
    home(4, True, "active", ("Sofia", "Ferreira", MAIL), ("Nuno", "Ferreira", MAIL)),
    home(2, True, "active", ("Amélie", "Dupuis", MAIL)),
    home(7, True, "active", ("Khadija", "El Amrani", BOTH), ("Rachid", "El Amrani", MAIL)),
    home(1, True, "active", ("René", "Leroy", PHONE)),
    home(3, True, "active", ("Grace", "Mbemba", MAIL)),
    home(4, True, "active", ("Stéphane", "Cauchy", MAIL), ("Sandrine", "Cauchy", BOTH)),
    home(2, True, "active", ("Zineb", "Haddad", MAIL)),
    home(1, True, "active", ("Ginette", "Płaczek", NOTHING)),
    home(5, True, "active", ("Issa", "Coulibaly", BOTH)),
    home(3, True, "active", ("Laura", "Morel", MAIL), ("Thomas", "Petit", MAIL)),
    home(4, True, "active", ("Nassima", "Cherif", MAIL)),
    home(2, False, "active", ("Hélène", "d’Hallencourt", BOTH)),
    home(1, True, "active", ("Jean-Pierre", "Wattier", PHONE)),
    home(6, True, "active", ("Mariama", "Bah", MAIL), ("Ousmane", "Bah", PHONE)),
    home(3, True, "active", ("Céline", "Tellier", MAIL)),
    home(2, True, "active", ("Ahmed", "Bouzid", BOTH), ("Malika", "Bouzid", MAIL)),
    home(4, True, "active", ("Ionela", "Popescu", MAIL)),
    home(1, False, "active", ("Lucie", "Boitel", MAIL)),
    home(5, True, "active", ("Saïd", "Mohamed", MAIL), ("Zaïnaba", "Mohamed", BOTH)),
    home(3, True, "active", ("Christelle", "Noiret", MAIL)),
    home(2, True, "soon", ("Patrick", "Devauchelle", BOTH)),
    home(4, True, "soon", ("Fanta", "Keïta", MAIL), ("Bakary", "Keïta", MAIL)),
    home(1, True, "soon", ("Yvette", "Carpentier", PHONE)),
    home(3, True, "soon", ("Sokha", "Chea", MAIL)),
    home(5, True, "expired", ("Hakim", "Slimani", BOTH), ("Leïla", "Slimani", MAIL)),
    home(2, True, "expired", ("Jocelyne", "Bellier", MAIL)),
    home(4, True, "expired", ("David", "Quentin", MAIL), ("Marie", "Quentin", MAIL)),
    home(1, False, "expired", ("Antoine", "Roussel", BOTH)),
    home(3, True, "none", ("Awa", "Ndiaye", MAIL)),
    home(2, False, "none", ("Paul", "Lesage", MAIL)),
    home(4, True, "none", ("Halima", "Belkacem", BOTH)),
    home(6, True, "none", ("Nadège", "Ilunga", PHONE)),
)

AT_PIGEONNIER = (
    home(2, True, "active", ("Monique", "Hénocq", PHONE)),
    home(4, True, "active", ("Abdoulaye", "Sow", MAIL)),
    home(3, True, "active", ("Virginie", "Ledoux", MAIL)),
    home(1, True, "expired", ("Marcel", "Obry", NOTHING)),
)
