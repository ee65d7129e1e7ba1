// @generated automatically by Diesel CLI.

diesel::table! {
    attempts (id) {
        id -> Text,
        failures -> BigInt,
        next_at -> BigInt,
        last_at -> BigInt,
        under_way -> BigInt,
    }
}

diesel::table! {
    known_devices (id) {
        id -> Text,
        user_id -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Nullable<Text>,
        data -> Text,
        version -> BigInt,
        created_at -> BigInt,
        seen_at -> BigInt,
        expires_at -> BigInt,
        deadline -> BigInt,
        user_agent -> Nullable<Text>,
        ip -> Nullable<Text>,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        first_name -> Text,
        last_name -> Text,
        location -> Text,
        password_hash -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(attempts, known_devices, sessions, users,);
